// SPDX-License-Identifier: Apache-2.0

/// A link-layer address.
public struct EtherAddress: Hashable, Sendable, CustomStringConvertible {
  /// The six bytes as a number, the first one highest.
  public let value: UInt64

  /// The address of these six bytes.
  public init(_ value: UInt64) { self.value = value & 0xFFFF_FFFF_FFFF }

  /// Reads an address as in `aa:bb:cc:dd:ee:ff`; nil when the text is none.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6 else { return nil }
    var value: UInt64 = 0
    for part in parts {
      guard (1...2).contains(part.utf8.count), let byte = UInt8(part, radix: 16) else { return nil }
      value = value << 8 | UInt64(byte)
    }
    self.value = value
  }

  /// The six bytes at an offset, if they lie inside.
  package init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard let high = bytes.big(offset, as: UInt16.self),
      let low = bytes.big(offset + 2, as: UInt32.self)
    else { return nil }
    value = UInt64(high) << 32 | UInt64(low)
  }

  /// As in `aa:bb:cc:dd:ee:ff`.
  public var text: String {
    String(unsafeUninitializedCapacity: 17) { text in
      for place in 0..<6 {
        let byte = UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64(place)))
        text[3 * place] = Self.digit(byte >> 4)
        text[3 * place + 1] = Self.digit(byte & 15)
        if place < 5 { text[3 * place + 2] = UInt8(ascii: ":") }
      }
      return 17
    }
  }

  /// The text.
  public var description: String { text }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
