// SPDX-License-Identifier: Apache-2.0

extension UnsafeRawBufferPointer {
  /// The number at an offset, big endian, or nil when it does not lie inside.
  package func big<Value: FixedWidthInteger>(
    _ offset: Int, as type: Value.Type = Value.self
  ) -> Value? {
    guard offset >= 0, offset + MemoryLayout<Value>.size <= count else { return nil }
    return Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// The bytes from an offset on; none when it lies behind the end.
  package func from(_ offset: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[Swift.min(offset, count)...])
  }

  /// At most so many bytes from the start.
  package func first(_ length: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[..<Swift.min(Swift.max(0, length), count)])
  }
}
