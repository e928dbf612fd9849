// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// A network interface of the model.
public struct NetworkInterface: Sendable, Equatable {
  /// Its address.
  public let address: IPAddress
  /// Its link address.
  public let ether: EtherAddress
  /// The link address of the router behind which other hosts are.
  public let router: EtherAddress

  /// Describes an interface.
  public init(_ address: IPAddress, ether: EtherAddress, router: EtherAddress) {
    self.address = address
    self.ether = ether
    self.router = router
  }

  /// What a model has unless it is told otherwise: an Apple machine behind a Cisco router, as on the slide.
  public static let usual: [NetworkInterface] =
    ["192.168.1.2", "fd00::2"].compactMap(IPAddress.init)
    .map { NetworkInterface($0, ether: usualEther, router: usualRouter) }

  static let usualEther = EtherAddress(0x38F9_D300_0002)
  static let usualRouter = EtherAddress(0x6073_5C00_0001)
}

/// A packet that left the model for a remote host.
public struct SentPacket: Sendable, Equatable {
  /// TCP or UDP.
  public let kind: SocketKind
  /// Who sent it.
  public let source: Endpoint
  /// Where it went.
  public let destination: Endpoint
  /// Its payload.
  public let bytes: [UInt8]
}

/// Which addresses and ports are whose; under the lock of ``InternetProtocols``.
struct NetworkTables {
  struct Port: Hashable {
    let kind: SocketKind
    let local: Endpoint
  }

  /// Ports that the kernel hands out.
  static let ephemeral: ClosedRange<UInt16> = 49152...65535
  /// Packets that are kept.
  static let keptPackets = 1024

  var interfaces: [NetworkInterface]
  var hosts: [IPAddress: RemoteHost] = [:]
  /// The socket that has a local end; connections that were accepted share the one of who listens.
  private var bound: [Port: ModelSocket] = [:]
  private var nextPort = ephemeral.lowerBound
  /// Every socket that is not closed.
  var sockets: [ObjectIdentifier: ModelSocket] = [:]
  /// Filters of others, by name.
  var filters: [String: ScriptedFilter] = [:]
  /// Processes that have ended.
  var ended: Set<Int32> = []
  private(set) var sent: [SentPacket] = []
  private(set) var sentCount: UInt64 = 0

  init(interfaces: [NetworkInterface]) { self.interfaces = interfaces }

  func isLocal(_ address: IPAddress) -> Bool {
    address.isLoopback || interfaces.contains { $0.address == address }
  }

  func interface(for family: UInt16) -> NetworkInterface? {
    interfaces.first { $0.address.family == family }
  }

  /// The address that a packet to there has as its source.
  func source(for destination: IPAddress) -> IPAddress? {
    if isLocal(destination) { return destination }
    return interface(for: destination.family)?.address
  }

  /// Who gets what is sent to a local end.
  func receiver(_ kind: SocketKind, at local: Endpoint) -> ModelSocket? {
    if let exact = bound[Port(kind: kind, local: local)] { return exact }
    let any = Endpoint(address: .any(family: local.address.family), port: local.port)
    return bound[Port(kind: kind, local: any)]
  }

  /// Gives a local end to a socket; port 0 means any that is free.
  mutating func bind(
    _ socket: ModelSocket, to wanted: Endpoint
  ) throws(SocketError) -> Endpoint {
    if wanted.port != 0 {
      let isTaken =
        wanted.address.isAny
        ? bound.keys.contains {
          $0.kind == socket.kind && $0.local.port == wanted.port
            && $0.local.address.family == wanted.address.family
        } : receiver(socket.kind, at: wanted) != nil
      guard !isTaken else { throw .addressInUse }
      bound[Port(kind: socket.kind, local: wanted)] = socket
      return wanted
    }
    for _ in Self.ephemeral {
      let port = nextPort
      nextPort = port == Self.ephemeral.upperBound ? Self.ephemeral.lowerBound : port + 1
      let end = Endpoint(address: wanted.address, port: port)
      guard receiver(socket.kind, at: end) == nil else { continue }
      bound[Port(kind: socket.kind, local: end)] = socket
      return end
    }
    throw .addressNotAvailable
  }

  /// Takes a local end from a socket, if it is its own.
  mutating func unbind(_ socket: ModelSocket, from local: Endpoint) {
    let port = Port(kind: socket.kind, local: local)
    if bound[port] === socket { bound[port] = nil }
  }

  mutating func note(_ packet: @autoclosure () -> SentPacket) {
    sentCount += 1
    if sent.count < Self.keptPackets { sent.append(packet()) }
  }
}
