// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonPlatform

extension InternetProtocols {
  /// The table through which the socket layer calls TCP and UDP.
  static var calls: kernel_pr_usrreqs {
    kernel_pr_usrreqs(
      pru_attach: { context, handle, head in
        guard let context, let handle else { return SocketError.invalid.number }
        let protocols = Unmanaged<InternetProtocols>.fromOpaque(context).takeUnretainedValue()
        return protocols.attach(handle, head)
      },
      pru_bind: { pcb, _, name in
        call(pcb) { socket throws(SocketError) in
          guard let end = name?.pointee.endpoint else { throw .invalid }
          try socket.protocols.bind(socket, to: end)
        }
      },
      pru_listen: { pcb, _, backlog in
        call(pcb) { socket throws(SocketError) in
          try socket.protocols.listen(socket, backlog: Int(backlog))
        }
      },
      pru_connect: { pcb, handle, name in
        call(pcb) { socket throws(SocketError) in
          guard let handle, let end = name?.pointee.endpoint else { throw .invalid }
          try socket.protocols.connect(socket, handle, to: end)
        }
      },
      pru_send: { pcb, handle, packet, name in
        call(pcb) { socket throws(SocketError) in
          guard let handle, let packet else { throw .invalid }
          try socket.protocols.send(socket, handle, packet, to: name?.pointee.endpoint)
        }
      },
      pru_shutdown: { pcb, _ in
        call(pcb) { socket in
          let peer = socket.state.withLock { $0.peer }
          try? peer?.withHandle { socantrcvmore($0) }
        }
      },
      pru_disconnect: { pcb, _ in call(pcb) { $0.protocols.disconnect($0) } },
      pru_detach: { pcb, _ in _ = call(pcb) { $0.protocols.detach($0) } },
      pru_sockaddr: { pcb, _, name in
        _ = call(pcb) { socket in name?.pointee = address(of: socket.local, socket) }
      },
      pru_peeraddr: { pcb, _, name in
        _ = call(pcb) { socket in name?.pointee = address(of: socket.remote, socket) }
      },
      pru_control: { _, _, _, _ in SocketError.notTTY.number },
      free: { pcb in if let pcb { Unmanaged<ModelSocket>.fromOpaque(pcb).release() } })
  }

  private func attach(_ handle: OpaquePointer, _ head: OpaquePointer?) -> Int32 {
    let owner = head.flatMap(ModelSocket.of)?.owner ?? Lane.current.process
    let socket = ModelSocket(
      handle, family: kernel_socket_domain(handle) == KERNEL_AF_INET ? 4 : 6,
      kernel_socket_type(handle) == KERNEL_SOCK_STREAM ? .stream : .datagram, owner: owner, self)
    kernel_socket_set_pcb(handle, Unmanaged.passRetained(socket).toOpaque())
    tables.withLock { $0.sockets[ObjectIdentifier(socket)] = socket }
    return 0
  }

  private func listen(_ socket: ModelSocket, backlog: Int) throws(SocketError) {
    guard socket.local != nil else { throw .invalid }
    socket.state.withLock { $0.backlog = min(max(backlog, 1), 128) }
  }
}

/// Calls a body with the socket behind a pcb, and returns its error's number.
private func call(
  _ pcb: UnsafeMutableRawPointer?, _ body: (ModelSocket) throws(SocketError) -> Void
) -> Int32 {
  guard let pcb else { return SocketError.invalid.number }
  do throws(SocketError) {
    try body(Unmanaged<ModelSocket>.fromOpaque(pcb).takeUnretainedValue())
    return 0
  } catch {
    return error.number
  }
}

private func address(of end: Endpoint?, _ socket: ModelSocket) -> kernel_sockaddr {
  kernel_sockaddr(end ?? Endpoint(address: .any(family: socket.family), port: 0))
}
