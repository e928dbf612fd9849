// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Hashable, Comparable {
  private let high: UInt64
  private let low: UInt64
  /// 4 or 6.
  let family: UInt16

  /// The address at an offset, if it lies inside.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, family: UInt16) {
    if family == 4 {
      guard let address = bytes.big(offset, as: UInt32.self) else { return nil }
      high = 0
      low = UInt64(address)
    } else {
      guard let high = bytes.big(offset, as: UInt64.self),
        let low = bytes.big(offset + 8, as: UInt64.self)
      else { return nil }
      self.high = high
      self.low = low
    }
    self.family = family
  }

  static func < (lhs: IPAddress, rhs: IPAddress) -> Bool {
    (lhs.family, lhs.high, lhs.low) < (rhs.family, rhs.high, rhs.low)
  }

  /// The address as `inet_ntop` writes it.
  var text: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if family == 4 {
      var address = UInt32(truncatingIfNeeded: low).bigEndian
      inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
    } else {
      var address = (high.bigEndian, low.bigEndian)
      inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// One end of a connection.
struct Endpoint: Hashable, Comparable {
  let address: IPAddress
  let port: UInt16

  static func < (lhs: Endpoint, rhs: Endpoint) -> Bool {
    (lhs.address, lhs.port) < (rhs.address, rhs.port)
  }
}
