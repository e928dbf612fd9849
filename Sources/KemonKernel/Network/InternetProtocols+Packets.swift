// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonPlatform

/// How packets leave a socket, and how they arrive at one.
extension InternetProtocols {
  // MARK: Sending

  /// Sends a packet, which it takes.
  func send(
    _ socket: ModelSocket, _ handle: OpaquePointer, _ packet: UnsafeMutablePointer<kernel_mbuf>,
    to address: Endpoint?
  ) throws(SocketError) {
    var packet: UnsafeMutablePointer<kernel_mbuf>? = packet
    defer { if let packet { m_freem(packet) } }
    guard let destination = address ?? socket.remote else { throw .notConnected }
    if let address, address.address.family != socket.family { throw .familyNotSupported }
    if socket.kind == .stream {
      let (peer, host) = socket.state.withLock { ($0.peer, $0.host) }
      if let peer {
        try peer.withHandle { other in
          _ = sbappendaddr(other, nil, packet.take())
        }
      } else if host == nil {
        // The other end has closed.
        soisdisconnected(handle)
        throw SocketError(54)
      } else if let packet {
        try serve(socket, handle, packet, socket.local ?? destination, destination, host)
      }
      return
    }
    try bindIfNeeded(socket, for: destination.address)
    guard let source = sender(socket, to: destination.address), let whole = packet.take() else {
      throw .addressNotAvailable
    }
    try sendDatagram(socket, handle, whole, source, destination)
  }

  private func sendDatagram(
    _ socket: ModelSocket, _ handle: OpaquePointer, _ packet: UnsafeMutablePointer<kernel_mbuf>,
    _ source: Endpoint, _ destination: Endpoint
  ) throws(SocketError) {
    let (isLocal, receiver, host) = tables.withLock { tables in
      let isLocal = tables.isLocal(destination.address)
      return (
        isLocal, isLocal ? tables.receiver(.datagram, at: destination) : nil,
        tables.hosts[destination.address]
      )
    }
    guard isLocal else {
      defer { m_freem(packet) }
      return try serve(socket, handle, packet, source, destination, host)
    }
    // Whoever is connected hears that end only.
    guard let receiver, receiver.remote == nil || receiver.remote == source else {
      return m_freem(packet)
    }
    var from = kernel_sockaddr(source)
    do throws(SocketError) {
      try receiver.withHandle { _ = sbappendaddr($0, &from, packet) }
    } catch {
      m_freem(packet)
    }
  }

  /// Notes a packet as sent, and lets the remote host answer it.
  private func serve(
    _ socket: ModelSocket, _ handle: OpaquePointer, _ packet: UnsafeMutablePointer<kernel_mbuf>,
    _ source: Endpoint, _ destination: Endpoint, _ host: RemoteHost?
  ) throws(SocketError) {
    let bytes = UnsafeRawBufferPointer(
      start: packet.pointee.data, count: Int(packet.pointee.len))
    tables.withLock { tables in
      tables.note(
        SentPacket(
          kind: socket.kind, source: source, destination: destination, bytes: Array(bytes)))
    }
    guard let host, let service = host.service(socket.kind, destination.port) else { return }
    switch service.behaviour {
    case .refuse, .silent: return
    case .echo: try deliver(bytes, from: destination, host, to: socket, handle)
    case .answer:
      let turn = socket.state.withLock { state in
        defer { state.served += 1 }
        return state.served
      }
      guard turn < service.replies.count, !service.replies[turn].isEmpty else { return }
      let replied = service.replies[turn].withUnsafeBytes { reply in
        Result { () throws(SocketError) in
          try deliver(reply, from: destination, host, to: socket, handle)
        }
      }
      try replied.get()
    }
  }

  // MARK: Arriving

  /// Bytes of a stream that one segment carries.
  private static func segmentSize(_ family: UInt16) -> Int { family == 4 ? 1460 : 1440 }

  /// Lets bytes of a remote host arrive: a stream's in segments, all with their headers.
  func deliver(
    _ bytes: UnsafeRawBufferPointer, from source: Endpoint, _ host: RemoteHost?,
    to socket: ModelSocket, _ handle: OpaquePointer
  ) throws(SocketError) {
    let interface = tables.withLock { $0.interface(for: source.address.family) }
    guard let interface, let local = sender(socket, to: source.address) else { return }
    let size = socket.kind == .stream ? Self.segmentSize(source.address.family) : Int(UInt16.max)
    var rest = bytes
    repeat {
      let part = rest.first(size)
      rest = rest.from(part.count)
      let sequence = socket.state.withLock { state in
        defer { state.sequence &+= UInt32(part.count) }
        return state.sequence
      }
      let header = PacketHeader(
        kind: socket.kind, source: source, destination: local,
        sourceEther: host?.ether ?? interface.router, destinationEther: interface.ether,
        sequence: sequence)
      let packet = try packet(part, header: header)
      var from = kernel_sockaddr(source)
      if socket.kind == .stream {
        _ = sbappendaddr(handle, nil, packet)
      } else {
        _ = sbappendaddr(handle, &from, packet)
      }
    } while !rest.isEmpty
  }
}
