// SPDX-License-Identifier: Apache-2.0

/// One end of a connection: an address and a port.
public struct Endpoint: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The host.
  public let address: IPAddress
  /// The port, in host byte order.
  public let port: UInt16

  /// Puts an address and a port together.
  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Orders by address, then by port.
  public static func < (lhs: Endpoint, rhs: Endpoint) -> Bool {
    (lhs.address, lhs.port) < (rhs.address, rhs.port)
  }

  /// As in `192.0.2.1:53` or `[2001:db8::1]:53`.
  public var description: String {
    address.family == 4 ? "\(address.text):\(port)" : "[\(address.text)]:\(port)"
  }
}
