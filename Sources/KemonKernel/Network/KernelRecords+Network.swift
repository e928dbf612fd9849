// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonPlatform

extension KernelRecords {
  // MARK: Connections

  /// A process is about to connect a socket.
  ///
  /// - Parameter redirect: gets the port that handlers want instead of the one that was asked for.
  func connecting(
    _ socket: ModelSocket, to destination: Endpoint, operation: UInt64,
    redirect: @escaping (UInt16) -> Void
  ) -> Verdict {
    let changed = { (record: RecordView) in
      guard let connect = record.payload(as: kemon_net_connect.self) else { return }
      redirect(connect.destination_port)
    }
    return dispatch(EventKind(KEMON_KIND_NET_CONNECT_PRE), changed: changed) { builder in
      builder.header.pointee.corr = operation
      Self.setConnect(socket, destination, &builder)
    }
  }

  /// A socket has been connected, or not.
  ///
  /// - Parameter error: Darwin's number; 0 when it is connected.
  func connected(
    _ socket: ModelSocket, to destination: Endpoint, error: Int32, operation: UInt64
  ) -> Verdict {
    dispatch(EventKind(KEMON_KIND_NET_CONNECT)) { builder in
      builder.header.pointee.corr = operation
      builder.header.pointee.result = DarwinErrno.linux(error)
      Self.setConnect(socket, destination, &builder)
    }
  }

  private static func setConnect(
    _ socket: ModelSocket, _ destination: Endpoint, _ builder: inout RecordBuilder
  ) {
    let local = socket.local
    builder.setPayload(
      kemon_net_connect(
        source: builder.text(sourceText(local)),
        destination: builder.text(destination.address.text),
        source_port: local?.port ?? 0, destination_port: destination.port,
        address_family: socket.family, protocol: socket.kind.ipProtocol))
  }

  // MARK: Packets

  /// A question for a name server is about to be sent.
  func query(
    _ question: DNSMessage.Question, _ message: UnsafeRawBufferPointer, to server: Endpoint,
    _ statistics: SocketStatistics
  ) -> Verdict {
    dispatch(EventKind(KEMON_KIND_NET_DNS_QUERY), as: statistics) { builder in
      let source = statistics.now.source
      let name = question.name.dotted
      builder.setPayload(
        kemon_dns_query(
          source: builder.text(Self.sourceText(source)),
          destination: builder.text(server.address.text),
          source_port: source?.port ?? 0, destination_port: server.port,
          query_type: question.type, query_class: question.questionClass,
          name: builder.data(name), packet: builder.text(message)))
    }
  }

  /// A packet passes a socket, in one direction or the other.
  ///
  /// - Parameter other: the other end, when it is not that of the connection.
  func packet(
    _ packet: kernel_mbuf, isOut: Bool, other: Endpoint?, _ statistics: SocketStatistics
  ) {
    dispatch(EventKind(KEMON_KIND_NET_PACKET), as: statistics) { builder in
      let known = statistics.now
      let remote = other ?? known.destination
      builder.setPayload(
        kemon_net_packet(
          source: builder.text(Self.sourceText(known.source)),
          destination: builder.text(Self.destinationText(remote, statistics)),
          source_ether: builder.text(isOut ? nil : EtherAddress(packet.header, at: 0)?.text),
          destination_ether: builder.text(isOut ? nil : EtherAddress(packet.header, at: 6)?.text),
          source_port: known.source?.port ?? 0, destination_port: remote?.port ?? 0,
          address_family: statistics.family, protocol: statistics.kind.ipProtocol,
          address: packet.address, direction: isOut ? 1 : 0, reserved: 0,
          data: builder.text(packet.payload)))
    }
  }

  // MARK: The end

  /// Kemon's filter was taken off a socket: it was closed, or the filter is unregistered.
  func socketDetached(_ statistics: SocketStatistics) {
    let kind =
      statistics.kind == .stream ? KEMON_KIND_NET_TCP_DETACH : KEMON_KIND_NET_UDP_DETACH
    dispatch(EventKind(kind), as: statistics) { builder in
      let known = statistics.now
      if known.received.isCut || known.sent.isCut {
        builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED)
      }
      builder.setPayload(
        kemon_net_detach(
          start_ns: statistics.start, stop_ns: dispatcher.time,
          source: builder.text(Self.sourceText(known.source)),
          destination: builder.text(Self.destinationText(known.destination, statistics)),
          source_ether: builder.text(known.sourceEther?.text),
          destination_ether: builder.text(known.destinationEther?.text),
          source_port: known.source?.port ?? 0, destination_port: known.destination?.port ?? 0,
          address_family: statistics.family, protocol: statistics.kind.ipProtocol,
          in_bytes: known.received.bytes, out_bytes: known.sent.bytes,
          in_packets: known.received.packets, out_packets: known.sent.packets,
          first_in: builder.data(known.received.first),
          first_out: builder.data(known.sent.first)))
    }
  }

  /// As the original has it: a socket that is bound to every address is "localhost".
  private static func sourceText(_ end: Endpoint?) -> String {
    guard let end, !end.address.isAny else { return "localhost" }
    return end.address.text
  }

  private static func destinationText(
    _ end: Endpoint?, _ statistics: SocketStatistics
  ) -> String {
    (end?.address ?? .any(family: statistics.family)).text
  }

  /// Makes a record of whoever owned the socket when the filter was attached; one that has ended has no name any more.
  @discardableResult
  private func dispatch(
    _ kind: EventKind, as statistics: SocketStatistics, _ fill: (inout RecordBuilder) -> Void
  ) -> Verdict {
    Lane.current.withBuilder { builder in
      builder.begin(kind)
      if let owner = statistics.owner {
        builder.setSubject(owner)
        let hasEnded = statistics.protocols.tables.withLock { $0.ended.contains(owner.pid) }
        if hasEnded { builder.header.pointee.subject.comm = kemon_str() }
      }
      fill(&builder)
      return dispatcher.dispatch(&builder)
    }
  }
}
