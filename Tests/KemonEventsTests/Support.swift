// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A random number generator whose sequence is the same everywhere.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Bytes that end where an inaccessible page begins: reading one byte too many is a crash.
final class GuardedBuffer {
  let bytes: UnsafeMutableRawBufferPointer
  private let mapping: UnsafeMutableRawPointer
  private let length: Int

  struct MapError: Error { let code: Int32 }

  init(byteCount: Int) throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let data = (byteCount + page - 1) / page * page
    length = data + page
    guard
      let mapping = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED, mprotect(mapping + data, page, PROT_NONE) == 0
    else { throw MapError(code: errno) }
    self.mapping = mapping
    bytes = UnsafeMutableRawBufferPointer(start: mapping + data - byteCount, count: byteCount)
  }

  deinit { munmap(mapping, length) }
}
