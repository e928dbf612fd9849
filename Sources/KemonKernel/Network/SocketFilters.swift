// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonPlatform
internal import Synchronization

/// Kemon's own socket filters: one for TCP and one for UDP, each for both versions of IP.
enum SocketFilters {
  /// One filter.
  struct Filter: Sendable {
    let kind: SocketKind
    let domain: Int32
    let handle: UInt32
  }

  /// The name that all have.
  static let name: StaticString = "com.assuresec.kemon.sflt"

  /// The original's numbers: a base less the address family and the protocol.
  static let all: [Filter] = [KERNEL_AF_INET, KERNEL_AF_INET6].flatMap { domain in
    [SocketKind.stream, .datagram].map { kind in
      Filter(
        kind: kind, domain: domain,
        handle: 0xFFF8_0386 - UInt32(domain) - UInt32(kind.ipProtocol))
    }
  }

  /// Registers all of them with the calling thread's network.
  static func register() throws(SocketError) {
    for filter in all {
      var calls = calls
      calls.sf_handle = filter.handle
      calls.sf_flags = SFLT_GLOBAL
      calls.sf_name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
      try SocketError.check(
        sflt_register(
          &calls, filter.domain,
          filter.kind == .stream ? KERNEL_SOCK_STREAM : KERNEL_SOCK_DGRAM,
          Int32(filter.kind.ipProtocol)))
    }
  }

  /// Unregisters them from the calling thread's network: every socket's detachment is told.
  static func unregister() {
    for filter in all { sflt_unregister(filter.handle) }
  }

  private static var calls: kernel_sflt_filter {
    var calls = kernel_sflt_filter()
    calls.sf_attach = { cookie, handle in
      guard let cookie, let handle, let socket = ModelSocket.of(handle) else {
        return SocketError.noDevice.number
      }
      cookie.pointee = Unmanaged.passRetained(SocketStatistics(socket)).toOpaque()
      return 0
    }
    calls.sf_detach = { cookie, _ in
      guard let cookie else { return }
      let statistics = Unmanaged<SocketStatistics>.fromOpaque(cookie).takeRetainedValue()
      statistics.protocols.records.socketDetached(statistics)
    }
    calls.sf_notify = { cookie, handle, event, _ in
      guard event == Int32(sock_evt_bound) || event == Int32(sock_evt_connected),
        let handle, let socket = ModelSocket.of(handle)
      else { return }
      SocketFilters.with(cookie) { $0.take(endsOf: socket) }
    }
    calls.sf_bind = { cookie, _, name in
      if let end = name?.pointee.endpoint { SocketFilters.with(cookie) { $0.bind(to: end) } }
      return 0
    }
    calls.sf_connect_out = { cookie, _, name in
      if let end = name?.pointee.endpoint { SocketFilters.with(cookie) { $0.connect(to: end) } }
      return 0
    }
    calls.sf_data_in = { cookie, _, from, data, _, _ in
      guard let packet = data?.pointee?.pointee else { return 0 }
      SocketFilters.with(cookie) { $0.didReceive(packet, from: from?.pointee.endpoint) }
      return 0
    }
    calls.sf_data_out = { cookie, _, to, data, _, _ in
      guard let packet = data?.pointee?.pointee else { return 0 }
      return SocketFilters.with(cookie) { $0.willSend(packet, to: to?.pointee.endpoint) } ?? 0
    }
    return calls
  }

  /// Hands the statistics to a callback without touching their reference count.
  @discardableResult
  private static func with<Result>(
    _ cookie: UnsafeMutableRawPointer?, _ body: (SocketStatistics) -> Result
  ) -> Result? {
    guard let cookie else { return nil }
    return Unmanaged<SocketStatistics>.fromOpaque(cookie)._withUnsafeGuaranteedRef(body)
  }
}

extension SocketStatistics {
  /// The port of name servers.
  private static let dnsPort: UInt16 = 53

  fileprivate func didReceive(_ packet: kernel_mbuf, from address: Endpoint?) {
    addReceived(packet)
    guard protocols.showsTraffic.load(ordering: .relaxed) else { return }
    protocols.records.packet(packet, isOut: false, other: address, self)
  }

  /// Lets a packet go, or returns the error of who sends it.
  fileprivate func willSend(_ packet: kernel_mbuf, to address: Endpoint?) -> Int32 {
    if protocols.showsTraffic.load(ordering: .relaxed) {
      protocols.records.packet(packet, isOut: true, other: address, self)
    }
    if kind == .datagram, let destination = address ?? now.destination,
      destination.port == Self.dnsPort, let question = Self.question(in: packet.payload)
    {
      let verdict = protocols.records.query(question, packet.payload, to: destination, self)
      if verdict.isDenied { return SocketError(linux: verdict.error).number }
    }
    addSent(packet)
    return 0
  }

  /// The first question of a query for a name; nil for what is none, as in the original.
  ///
  /// The root has no name. A question that is whole was asked, whatever is broken behind it.
  static func question(in message: UnsafeRawBufferPointer) -> DNSMessage.Question? {
    guard let message = try? DNSMessage(parsing: message), !message.isResponse,
      let question = message.questions.first, !question.name.isRoot
    else { return nil }
    return question
  }
}
