// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Bytes of output under construction: grows, is cleared, and is used again and again.
struct LineBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 4096) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// What was appended; valid until the next change.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Forgets everything behind the first `count` bytes.
  mutating func truncate(to count: Int) { self.count = min(self.count, count) }

  /// Appends through a pointer with room for `limit` bytes; the body returns how many it wrote.
  mutating func append(
    upTo limit: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int
  ) {
    if capacity - count < limit { grow(by: limit) }
    count += body(base + count)
  }

  mutating func append(_ byte: UInt8) {
    append(upTo: 1) {
      $0.pointee = byte
      return 1
    }
  }

  mutating func append(_ text: StaticString) {
    append(upTo: text.utf8CodeUnitCount) {
      $0.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
      return text.utf8CodeUnitCount
    }
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    append(upTo: bytes.count) {
      UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: bytes.count)
      return bytes.count
    }
  }

  /// Appends a text of a program; rare texts only, it may allocate.
  mutating func append(string: String) {
    var string = string
    string.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  private mutating func grow(by room: Int) {
    let larger = max(capacity * 2, count + room)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: base, count: count)
    base.deallocate()
    base = moved
    capacity = larger
  }
}
