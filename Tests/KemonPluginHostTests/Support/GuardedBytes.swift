// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes that end where an unreadable page begins: reading one too many ends the process.
func withGuardedBytes<Result, Failure: Error>(
  _ content: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  let page = Int(getpagesize())
  let size = (content.count + page - 1) / page * page + page
  let mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  guard let mapping, mapping != MAP_FAILED else { fatalError("mmap") }
  defer { munmap(mapping, size) }
  mprotect(mapping + (size - page), page, PROT_NONE)
  let bytes = UnsafeMutableRawBufferPointer(
    start: mapping + (size - page - content.count), count: content.count)
  bytes.copyBytes(from: content)
  return try body(UnsafeRawBufferPointer(bytes))
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
