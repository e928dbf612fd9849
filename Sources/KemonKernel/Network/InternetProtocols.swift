// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonPlatform
internal import Synchronization

/// TCP and UDP of the model: what the socket layer calls when a call was let through.
///
/// Both ends of a connection may be in the model; the other one may also be a described remote host. What arrives goes
/// through the receiving socket's filters on the thread of the sender.
final class InternetProtocols: Sendable {
  let tables: PosixLock<NetworkTables>
  let records: KernelRecords
  /// Whether every packet is told, as by a build of the original with its traffic log.
  let showsTraffic = Atomic<Bool>(false)
  private let units = Atomic<UInt64>(0)

  init(_ interfaces: [NetworkInterface], records: KernelRecords) {
    tables = PosixLock(NetworkTables(interfaces: interfaces))
    self.records = records
  }

  /// The filter of others with that handle.
  func filter(_ handle: UInt32) -> ScriptedFilter? {
    tables.withLock { tables in tables.filters.values.first { $0.handle == handle } }
  }

  // MARK: Packets

  /// Where the model's packets lie, for dumps: buffers of 256 bytes whose first 192 are the kernel's own.
  ///
  /// The first packet of a model is where the packet of the talk was.
  private static let region: UInt64 = 0xffff_ff80_49a1_1600
  private static let buffer: UInt64 = 256
  private static let reserved: UInt64 = 192
  private static let buffers: UInt64 = 1 << 18

  /// A packet of these bytes.
  func packet(
    _ bytes: UnsafeRawBufferPointer, header: PacketHeader? = nil
  ) throws(SocketError) -> UnsafeMutablePointer<kernel_mbuf> {
    let headerSize = header?.size ?? 0
    guard let packet = m_gethdr(UInt32(headerSize), UInt32(bytes.count)),
      let data = packet.pointee.data
    else { throw .noBuffers }
    let payload = UnsafeMutableRawBufferPointer(start: data, count: bytes.count)
    payload.copyMemory(from: bytes)
    header?.write(
      to: UnsafeMutableRawBufferPointer(start: data - headerSize, count: headerSize),
      payload: UnsafeRawBufferPointer(payload))
    let size = Self.reserved + UInt64(headerSize + bytes.count)
    let count = (size + Self.buffer - 1) / Self.buffer
    let first = units.wrappingAdd(count, ordering: .relaxed).oldValue % Self.buffers
    packet.pointee.address = Self.region + first * Self.buffer + Self.reserved + UInt64(headerSize)
    return packet
  }

  // MARK: Local ends

  func bind(_ socket: ModelSocket, to wanted: Endpoint) throws(SocketError) {
    guard wanted.address.family == socket.family else { throw .familyNotSupported }
    if wanted.port != 0, wanted.port < 1024, let owner = socket.owner, owner.uid != 0 {
      throw .accessDenied
    }
    let address = wanted.address
    try choose(socket, isBound: true) { tables throws(SocketError) in
      guard address.isAny || tables.isLocal(address) else { throw .addressNotAvailable }
      return wanted
    }
  }

  /// Gives a local end to a socket that has none, as the source of what it sends.
  func bindIfNeeded(_ socket: ModelSocket, for destination: IPAddress) throws(SocketError) {
    guard socket.local == nil else { return }
    try choose(socket, isBound: false) { tables throws(SocketError) in
      guard let source = tables.source(for: destination) else { throw .addressNotAvailable }
      return Endpoint(address: source, port: 0)
    }
  }

  private func choose(
    _ socket: ModelSocket, isBound: Bool,
    _ wanted: (borrowing NetworkTables) throws(SocketError) -> Endpoint
  ) throws(SocketError) {
    try tables.withLock { tables throws(SocketError) in
      guard socket.local == nil else { throw .invalid }
      let local = try tables.bind(socket, to: try wanted(tables))
      socket.state.withLock { state in
        state.local = local
        state.isBound = isBound
      }
    }
    try? socket.withHandle { sflt_notify($0, Int32(sock_evt_bound), nil) }
  }

  /// The local end as it is on the wire: what is bound to every address sends from one of them.
  func sender(_ socket: ModelSocket, to destination: IPAddress) -> Endpoint? {
    guard let local = socket.local else { return nil }
    guard local.address.isAny else { return local }
    let source = tables.withLock { $0.source(for: destination) }
    return source.map { Endpoint(address: $0, port: local.port) }
  }

  // MARK: Connecting

  func connect(
    _ socket: ModelSocket, _ handle: OpaquePointer, to destination: Endpoint
  ) throws(SocketError) {
    guard destination.address.family == socket.family else { throw .familyNotSupported }
    guard destination.port != 0 else { throw .addressNotAvailable }
    try bindIfNeeded(socket, for: destination.address)
    let (isLocal, host) = tables.withLock {
      ($0.isLocal(destination.address), $0.hosts[destination.address])
    }
    socket.state.withLock { state in
      state.remote = destination
      state.host = host
      state.served = 0
    }
    guard socket.kind == .stream else { return soisconnected(handle) }
    guard let source = sender(socket, to: destination.address) else { throw .addressNotAvailable }
    pinSource(socket, source)
    soisconnecting(handle)
    do throws(SocketError) {
      if isLocal {
        try connectInside(socket, source, destination)
      } else {
        try Self.connectOutside(host, destination)
      }
    } catch {
      socket.state.withLock { $0.remote = nil }
      soisdisconnected(handle)
      throw error
    }
    soisconnected(handle)
  }

  /// A connection has one source address, also when its socket is bound to all of them.
  private func pinSource(_ socket: ModelSocket, _ source: Endpoint) {
    tables.withLock { tables in
      guard let local = socket.local, local != source else { return }
      tables.unbind(socket, from: local)
      if tables.receiver(.stream, at: source) == nil { _ = try? tables.bind(socket, to: source) }
      socket.state.withLock { $0.local = source }
    }
  }

  private func connectInside(
    _ socket: ModelSocket, _ source: Endpoint, _ destination: Endpoint
  ) throws(SocketError) {
    let listener = tables.withLock { $0.receiver(.stream, at: destination) }
    guard let listener else { throw .connectionRefused }
    try arrive(at: listener, from: source, destination, peer: socket)
  }

  private static func connectOutside(
    _ host: RemoteHost?, _ destination: Endpoint
  ) throws(SocketError) {
    guard let host else { throw .hostUnreachable }
    switch host.service(.stream, destination.port)?.behaviour {
    case .answer, .echo: return
    case .silent: throw .timedOut
    case .refuse, nil: throw .connectionRefused
    }
  }

  /// A connection comes in: the listener's filters are asked, and its socket waits to be accepted.
  ///
  /// - Parameter peer: the other end, when that is in the model.
  func arrive(
    at listener: ModelSocket, from source: Endpoint, _ destination: Endpoint, peer: ModelSocket?
  ) throws(SocketError) {
    try listener.withHandle { head throws(SocketError) in
      guard kernel_socket_is_listening(head) else { throw .connectionRefused }
      let hasRoom = listener.state.withLock { $0.arrived.count < max(1, $0.backlog) }
      var from = kernel_sockaddr(source)
      // Dropped without a reset, by a filter or for want of room: who connects waits in vain.
      guard hasRoom, let handle = sonewconn(head, &from), let child = ModelSocket.of(handle) else {
        throw .timedOut
      }
      let host = tables.withLock { $0.hosts[source.address] }
      child.state.withLock { state in
        state.local = destination
        state.remote = source
        state.peer = peer
        state.host = peer == nil ? host : nil
      }
      peer?.state.withLock { $0.peer = child }
      soisconnected(handle)
      listener.state.withLock { $0.arrived.append(child) }
    }
  }

  // MARK: Ending

  /// Ends a connection from this side.
  func disconnect(_ socket: ModelSocket) {
    let peer = socket.state.withLock { state in
      if socket.kind == .datagram { state.remote = nil }
      state.host = nil
      return state.peer.take()
    }
    guard let peer else { return }
    peer.state.withLock { $0.peer = nil }
    try? peer.withHandle { socantrcvmore($0) }
  }

  /// The socket is closed: its local end is free, and who waits to be accepted is sent away.
  func detach(_ socket: ModelSocket) {
    let arrived = socket.state.withLock { state in
      defer { state.arrived = [] }
      return state.arrived
    }
    tables.withLock { tables in
      if let local = socket.local { tables.unbind(socket, from: local) }
      tables.sockets[ObjectIdentifier(socket)] = nil
    }
    for child in arrived { _ = try? close(child) }
  }

  /// Closes a socket; whoever is in a call on it finishes it first.
  func close(_ socket: ModelSocket) throws(SocketError) {
    guard let handle = socket.state.withLock({ $0.handle.take() }) else { throw .badDescriptor }
    try SocketError.check(soclose(handle))
  }
}

extension RemoteHost {
  func service(_ kind: SocketKind, _ port: UInt16) -> Service? {
    services.first { $0.kind == kind && $0.port == port }
  }
}
