// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents

extension kernel_sockaddr {
  /// An endpoint as Darwin lays it out.
  init(_ endpoint: Endpoint) {
    self.init()
    port = endpoint.port.bigEndian
    if endpoint.address.family == 4 {
      sa_len = 16
      sa_family = UInt8(KERNEL_AF_INET)
      word = UInt32(truncatingIfNeeded: endpoint.address.low).bigEndian
    } else {
      sa_len = 28
      sa_family = UInt8(KERNEL_AF_INET6)
      withUnsafeMutableBytes(of: &address6) { bytes in
        bytes.storeBytes(of: endpoint.address.high.bigEndian, as: UInt64.self)
        bytes.storeBytes(of: endpoint.address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    }
  }

  /// The endpoint, or nil when it is no address of the Internet.
  var endpoint: Endpoint? {
    switch Int32(sa_family) {
    case KERNEL_AF_INET where sa_len >= 16:
      let address = IPAddress(high: 0, low: UInt64(UInt32(bigEndian: word)), family: 4)
      return Endpoint(address: address, port: UInt16(bigEndian: port))
    case KERNEL_AF_INET6 where sa_len >= 28:
      let address = withUnsafeBytes(of: address6) { IPAddress($0, at: 0, family: 6) }
      return address.map { Endpoint(address: $0, port: UInt16(bigEndian: port)) }
    default: return nil
    }
  }
}

/// TCP or UDP.
public enum SocketKind: String, Sendable, CaseIterable {
  /// TCP.
  case stream
  /// UDP.
  case datagram

  /// The number of the IP protocol.
  var ipProtocol: UInt16 { self == .stream ? 6 : 17 }
}
