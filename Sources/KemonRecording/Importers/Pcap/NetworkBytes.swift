// SPDX-License-Identifier: Apache-2.0

extension UnsafeRawBufferPointer {
  /// The number at an offset, big endian, or nil when it does not lie inside.
  func big<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type = Value.self) -> Value? {
    guard offset >= 0, offset + MemoryLayout<Value>.size <= count else { return nil }
    return Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// The bytes from an offset on; none when it lies behind the end.
  func from(_ offset: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[Swift.min(offset, count)...])
  }

  /// At most so many bytes from the start.
  func first(_ length: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[..<Swift.min(Swift.max(0, length), count)])
  }
}

/// Why a frame goes into no event.
struct FrameSkip: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// A link-layer address.
struct EtherAddress: Hashable {
  private let value: UInt64

  /// The six bytes at an offset, if they lie inside.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard let high = bytes.big(offset, as: UInt16.self),
      let low = bytes.big(offset + 2, as: UInt32.self)
    else { return nil }
    value = UInt64(high) << 32 | UInt64(low)
  }

  /// As in `aa:bb:cc:dd:ee:ff`.
  var text: String {
    (0..<6).map { place in
      let byte = value >> (40 - 8 * place) & 0xFF
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    .joined(separator: ":")
  }
}
