// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An IPv4 or IPv6 address.
public struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The first eight bytes of an IPv6 address as a number; 0 for IPv4.
  package let high: UInt64
  /// The last eight bytes, or the four of an IPv4 address, as a number.
  package let low: UInt64
  /// 4 or 6.
  public let family: UInt16

  package init(high: UInt64, low: UInt64, family: UInt16) {
    self.high = high
    self.low = low
    self.family = family
  }

  /// Reads an address as `inet_pton` does; nil when the text is none.
  public init?(_ text: String) {
    var address = in_addr()
    if inet_pton(AF_INET, text, &address) == 1 {
      self.init(high: 0, low: UInt64(UInt32(bigEndian: address.s_addr)), family: 4)
      return
    }
    var bytes: (UInt64, UInt64) = (0, 0)
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    self.init(high: UInt64(bigEndian: bytes.0), low: UInt64(bigEndian: bytes.1), family: 6)
  }

  /// The address at an offset, if it lies inside.
  package init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, family: UInt16) {
    if family == 4 {
      guard let address = bytes.big(offset, as: UInt32.self) else { return nil }
      self.init(high: 0, low: UInt64(address), family: 4)
    } else {
      guard let high = bytes.big(offset, as: UInt64.self),
        let low = bytes.big(offset + 8, as: UInt64.self)
      else { return nil }
      self.init(high: high, low: low, family: family)
    }
  }

  /// The address that stands for every one of a host: `0.0.0.0` or `::`.
  public static func any(family: UInt16) -> IPAddress {
    IPAddress(high: 0, low: 0, family: family)
  }

  /// Whether it is `0.0.0.0` or `::`.
  public var isAny: Bool { high == 0 && low == 0 }

  /// Whether it is one of the host's own to itself: `127.0.0.0/8` or `::1`.
  public var isLoopback: Bool { family == 4 ? low >> 24 == 127 : high == 0 && low == 1 }

  /// Orders by family, then by number.
  public static func < (lhs: IPAddress, rhs: IPAddress) -> Bool {
    (lhs.family, lhs.high, lhs.low) < (rhs.family, rhs.high, rhs.low)
  }

  /// The address as `inet_ntop` writes it.
  public var text: String {
    if family == 4 {
      // At most fifteen bytes: no memory is asked for.
      return String(unsafeUninitializedCapacity: 15) { text in
        var count = 0
        for shift in stride(from: UInt64(24), through: 0, by: -8) {
          let byte = UInt8(truncatingIfNeeded: low >> shift)
          if count > 0 {
            text[count] = UInt8(ascii: ".")
            count += 1
          }
          for (unit, least) in [(UInt8(100), UInt8(100)), (10, 10), (1, 0)] where byte >= least {
            text[count] = UInt8(ascii: "0") + byte / unit % 10
            count += 1
          }
        }
        return count
      }
    }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    var address = (high.bigEndian, low.bigEndian)
    inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The text.
  public var description: String { text }
}
