// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
public import KemonEvents
internal import KemonPlatform
internal import Synchronization

/// The network of the model: sockets of its processes, socket filters, and Kemon watching them.
///
/// Calls are those of the system; they check, ask MAC policies, and go into the functions of the kernel image that
/// Kemon hooks. Sockets never block: where a real one would wait, the call fails with EWOULDBLOCK. Any thread.
public final class NetworkStack: Sendable {
  let protocols: InternetProtocols
  // The kernel's part, which lives as long as its sockets: an address, because pointers can not be shared.
  private let networkAddress: UInt
  let policies: SocketPolicies
  /// What a machine has when it starts.
  private let interfaces: [NetworkInterface]
  private let monitor: NetworkMonitor

  /// Makes a network with Kemon's filters and hooks in it.
  init(
    release: KernelRelease, records: KernelRecords,
    interfaces: [NetworkInterface] = NetworkInterface.usual, policies: SocketPolicies = .none
  ) throws(KernelError) {
    self.policies = policies
    self.interfaces = interfaces
    protocols = InternetProtocols(interfaces, records: records)
    var calls = InternetProtocols.calls
    guard
      let network = kernel_network_create(&calls, Unmanaged.passUnretained(protocols).toOpaque())
    else { preconditionFailure("no memory for a network") }
    networkAddress = UInt(bitPattern: network)
    monitor = try NetworkMonitor(network, records: records)
  }

  deinit {
    do {
      try close()
    } catch {
      // Going on would leave jumps to an object that is gone.
      preconditionFailure("Kemon's hooks can not be taken out of the network: \(error)")
    }
    kernel_network_release(network)
  }

  /// Closes every socket and takes Kemon's filters and hooks out; returns after the last call has left.
  public func close() throws(KernelError) {
    closeSockets()
    inNetwork { monitor.unregister() }
    try monitor.detach()
  }

  /// Closes every socket and forgets which hosts there are, as a new start of the machine does.
  func reset() {
    closeSockets()
    for name in protocols.tables.withLock({ Array($0.filters.keys) }) { _ = try? unregister(name) }
    protocols.tables.withLock { $0 = NetworkTables(interfaces: interfaces) }
    protocols.showsTraffic.store(false, ordering: .relaxed)
  }

  private func closeSockets() {
    inNetwork {
      for socket in sockets { _ = try? protocols.close(socket) }
    }
  }

  // MARK: What is there

  /// Adds a network interface; packets leave by the one that was added last.
  public func add(_ interface: NetworkInterface) {
    protocols.tables.withLock { $0.interfaces.insert(interface, at: 0) }
  }

  /// Adds a host that sockets can talk to, or another description of one that is there.
  public func add(_ host: RemoteHost) {
    protocols.tables.withLock { $0.hosts[host.address] = host }
  }

  /// The first packets that left for remote hosts, in order.
  public var sent: [SentPacket] { protocols.tables.withLock { $0.sent } }
  /// How many left.
  public var sentCount: UInt64 { protocols.tables.withLock { $0.sentCount } }
  /// The sockets that are not closed.
  public var sockets: [ModelSocket] { protocols.tables.withLock { Array($0.sockets.values) } }

  /// Whether every packet is told as an event, as by a build of the original with its traffic log.
  public var showsTraffic: Bool {
    get { protocols.showsTraffic.load(ordering: .relaxed) }
    set { protocols.showsTraffic.store(newValue, ordering: .relaxed) }
  }

  // MARK: Calls

  /// Makes a socket for the process that is in the kernel on this thread.
  public func socket(
    _ kind: SocketKind, family: UInt16 = 4
  ) throws(SocketError) -> ModelSocket {
    try policies.check(family, kind)
    var handle: OpaquePointer?
    let error = inNetwork {
      socreate(
        family == 4 ? KERNEL_AF_INET : family == 6 ? KERNEL_AF_INET6 : 0, &handle,
        kind == .stream ? KERNEL_SOCK_STREAM : KERNEL_SOCK_DGRAM, 0)
    }
    try SocketError.check(error)
    guard let handle, let socket = ModelSocket.of(handle) else { throw .noBuffers }
    return socket
  }

  /// Gives a socket its local end; port 0 lets the kernel choose one.
  public func bind(_ socket: ModelSocket, to local: Endpoint) throws(SocketError) {
    try policies.check(.bind, socket, local)
    try call(socket) { handle in
      var name = kernel_sockaddr(local)
      return sobindlock(handle, &name, 1)
    }
  }

  /// Lets a socket take connections.
  public func listen(_ socket: ModelSocket, backlog: Int32 = 128) throws(SocketError) {
    try policies.check(.listen, socket)
    try call(socket) { solisten($0, backlog) }
  }

  /// Connects a socket; a stream's connection is there when this returns.
  public func connect(_ socket: ModelSocket, to remote: Endpoint) throws(SocketError) {
    try policies.check(.connect, socket, remote)
    try call(socket) { handle in
      var name = kernel_sockaddr(remote)
      return soconnectlock(handle, &name, 1)
    }
  }

  /// Takes the next connection that has arrived.
  ///
  /// - Throws: EWOULDBLOCK when there is none.
  public func accept(_ listener: ModelSocket) throws(SocketError) -> ModelSocket {
    try policies.check(.accept, listener)
    let child = try listener.withHandle { handle throws(SocketError) in
      guard kernel_socket_is_listening(handle) else { throw .invalid }
      return listener.state.withLock { $0.arrived.isEmpty ? nil : $0.arrived.removeFirst() }
    }
    guard let child else { throw .wouldBlock }
    do throws(SocketError) {
      try policies.check(.accepted, child, child.remote)
    } catch {
      _ = try? close(child)
      throw error
    }
    try inNetwork { () throws(SocketError) in
      try listener.withHandle { head throws(SocketError) in
        try accept(child, head)
      }
    }
    return child
  }

  private func accept(_ child: ModelSocket, _ head: OpaquePointer) throws(SocketError) {
    let error = try child.withHandle { soacceptfilter($0, head) }
    guard error != 0 else { return }
    // The filter's refusal has closed the kernel's socket.
    child.state.withLock { $0.handle = nil }
    throw SocketError(error)
  }

  /// Sends bytes: a datagram, or the next ones of a stream.
  ///
  /// - Parameter remote: where to, for a datagram socket that is not connected.
  public func send(
    _ bytes: UnsafeRawBufferPointer, on socket: ModelSocket, to remote: Endpoint? = nil,
    outOfBand: Bool = false
  ) throws(SocketError) {
    if let remote { try policies.check(.send, socket, remote) }
    try call(socket) { handle throws(SocketError) in
      if socket.kind == .stream { try checkRoom(socket) }
      // A stream is sent in parts; nothing is sent for no bytes.
      let size = socket.kind == .stream ? Self.chunk : max(bytes.count, 1)
      var rest = bytes
      while !rest.isEmpty || socket.kind == .datagram {
        let part = rest.first(size)
        rest = rest.from(part.count)
        let packet = try protocols.packet(part)
        let error: Int32
        if let remote {
          var name = kernel_sockaddr(remote)
          error = sosend(handle, &name, packet, nil, outOfBand ? 1 : 0)
        } else {
          error = sosend(handle, nil, packet, nil, outOfBand ? 1 : 0)
        }
        if error != 0 || rest.isEmpty { return error }
      }
      return 0
    }
  }

  /// Sends bytes that a program has in an array.
  ///
  /// - Parameter remote: where to, for a datagram socket that is not connected.
  public func send(
    _ bytes: [UInt8], on socket: ModelSocket, to remote: Endpoint? = nil
  ) throws(SocketError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(SocketError) in try send(bytes, on: socket, to: remote) }
    }
    try result.get()
  }

  /// Bytes of a stream that go through the filters at once.
  private static let chunk = 16 * 1024

  private func checkRoom(_ socket: ModelSocket) throws(SocketError) {
    let peer = socket.state.withLock { $0.peer }
    if let peer, let hasRoom = try? peer.withHandle({ kernel_socket_has_space($0) }), !hasRoom {
      throw .wouldBlock
    }
  }

  /// Takes the next datagram, or of a stream the next bytes that came together; nil at the end of a stream.
  ///
  /// - Throws: EWOULDBLOCK when nothing is there yet.
  public func receive(
    _ socket: ModelSocket
  ) throws(SocketError) -> (bytes: [UInt8], from: Endpoint?)? {
    if socket.kind == .datagram, socket.remote == nil {
      try policies.check(.receive, socket)
    }
    var from = kernel_sockaddr()
    var packet: UnsafeMutablePointer<kernel_mbuf>?
    try call(socket) { soreceive($0, &from, &packet) }
    guard let packet else { return nil }
    defer { m_freem(packet) }
    let bytes = UnsafeRawBufferPointer(start: packet.pointee.data, count: Int(packet.pointee.len))
    return (Array(bytes), from.endpoint)
  }

  /// Ends one or both directions of a connection.
  ///
  /// - Parameter how: 0 = no more receiving, 1 = no more sending, 2 = both.
  public func shutdown(_ socket: ModelSocket, how: Int32) throws(SocketError) {
    try call(socket) { soshutdownlock($0, how) }
  }

  /// Closes a socket: its filters are detached when this returns, unless one is in a call on another thread.
  public func close(_ socket: ModelSocket) throws(SocketError) {
    try inNetwork { () throws(SocketError) in try protocols.close(socket) }
  }

  /// A process has ended: its sockets are closed, and who is told of that finds no name for it.
  public func processEnded(_ pid: Int32) {
    let sockets = protocols.tables.withLock { tables in
      tables.ended.insert(pid)
      return tables.sockets.values.filter { $0.owner?.pid == pid }
    }
    for socket in sockets { _ = try? close(socket) }
  }

  // MARK: Inside

  /// The kernel's part.
  var network: OpaquePointer {
    guard let network = OpaquePointer(bitPattern: networkAddress) else {
      preconditionFailure("a network has an address")
    }
    return network
  }

  /// Makes this network that of the calling thread, for the time of a call.
  func inNetwork<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = kernel_network_enter(network)
    defer { kernel_network_enter(before) }
    return try body()
  }

  func call(
    _ socket: ModelSocket, _ body: (OpaquePointer) throws(SocketError) -> Int32
  ) throws(SocketError) {
    let error = try inNetwork { () throws(SocketError) in try socket.withHandle(body) }
    try SocketError.check(error)
  }
}
