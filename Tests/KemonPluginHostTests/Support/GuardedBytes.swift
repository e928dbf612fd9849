// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes that end where an unreadable page begins: reading one too many ends the process.
final class GuardedBytes {
  let bytes: UnsafeRawBufferPointer
  private let mapping: UnsafeMutableRawPointer
  private let mappingSize: Int

  init(_ content: ArraySlice<UInt8>) {
    let page = Int(getpagesize())
    mappingSize = (content.count + page - 1) / page * page + page
    guard
      let mapping = mmap(
        nil, mappingSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED
    else { fatalError("mmap") }
    self.mapping = mapping
    mprotect(mapping + (mappingSize - page), page, PROT_NONE)
    let start = mapping + (mappingSize - page - content.count)
    content.withUnsafeBytes { source in
      if let address = source.baseAddress {
        start.copyMemory(from: address, byteCount: source.count)
      }
    }
    bytes = UnsafeRawBufferPointer(start: start, count: content.count)
  }

  convenience init(_ content: [UInt8]) { self.init(content[...]) }

  deinit { munmap(mapping, mappingSize) }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
