// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

/// A record of the network, copied.
struct NetSeen: Equatable, CustomStringConvertible {
  var kind: String
  var phase: EventPhase
  var corr: UInt64
  var result: Int32
  var verdict: VerdictAction
  var isTruncated: Bool
  var pid: Int32
  var uid: UInt32
  var comm: String?
  var parent = ""
  var source = ""
  var destination = ""
  var ethers: [String] = []
  var name = ""
  var type: UInt16 = 0
  var counts: [UInt64] = []
  var first: [[UInt8]] = []
  var packet: [UInt8] = []
  var duration: Int64 = 0

  init(_ record: RecordView) {
    kind = record.kind.info?.name ?? "?"
    phase = record.phase
    corr = record.event.pointee.corr
    result = record.event.pointee.result
    verdict = record.verdict
    isTruncated = record.isTruncated
    let subject = record.subject
    (pid, uid) = (subject.pid, subject.uid)
    comm = subject.comm.off == 0 ? nil : record.text(subject.comm)
    parent = record.text(subject.parent)
    switch kind {
    case "net.connect":
      guard let payload = record.view(of: kemon_net_connect.self) else { return }
      source = "\(payload.source.string):\(payload.source_port)"
      destination = "\(payload.destination.string):\(payload.destination_port)"
    case "net.dns_query":
      guard let payload = record.view(of: kemon_dns_query.self) else { return }
      source = "\(payload.source.string):\(payload.source_port)"
      destination = "\(payload.destination.string):\(payload.destination_port)"
      name = payload.name.string
      type = payload.query_type
      packet = Array(payload.packet.bytes)
    case "net.tcp_detach", "net.udp_detach":
      guard let payload = record.view(of: kemon_net_detach.self) else { return }
      source = "\(payload.source.string):\(payload.source_port)"
      destination = "\(payload.destination.string):\(payload.destination_port)"
      ethers = [payload.source_ether.string, payload.destination_ether.string]
      counts = [
        UInt64(payload.in_packets), payload.in_bytes, UInt64(payload.out_packets),
        payload.out_bytes,
      ]
      first = [Array(payload.first_in.bytes), Array(payload.first_out.bytes)]
      duration = Int64(bitPattern: payload.stop_ns &- payload.start_ns)
    case "net.packet":
      guard let payload = record.view(of: kemon_net_packet.self) else { return }
      source = "\(payload.source.string):\(payload.source_port)"
      destination = "\(payload.destination.string):\(payload.destination_port)"
      ethers = [payload.source_ether.string, payload.destination_ether.string]
      name = payload.direction == 1 ? "out" : "in"
      counts = [payload.address]
      packet = Array(payload.data.bytes)
    default: break
    }
  }

  var description: String {
    let end = phase == .post && kind == "net.connect" ? " \(result)" : ""
    return "\(kind) \(phase.name) \(source) \(destination)\(name.isEmpty ? "" : " " + name)\(end)"
  }
}

/// What the plugin of a test says: errnos and results are Linux' numbers.
final class NetRules: Sendable {
  /// By name that is asked for.
  let queries: [String: Int32]
  /// By port that is connected to.
  let connects: [UInt16: Int32]
  let results: [UInt16: Int64]
  /// Other ports, by the port that is connected to.
  let redirects: [UInt16: UInt16]

  init(
    queries: [String: Int32] = [:], connects: [UInt16: Int32] = [:],
    results: [UInt16: Int64] = [:], redirects: [UInt16: UInt16] = [:]
  ) {
    self.queries = queries
    self.connects = connects
    self.results = results
    self.redirects = redirects
  }

  var handlers: [Handler] {
    [
      handler("query", KEMON_KIND_NET_DNS_QUERY) { context, event, verdict in
        guard let event, let verdict, let rules = NetRules.of(context) else {
          return KEMON_E_INVALID
        }
        let name = RecordView(trusted: event).view(of: kemon_dns_query.self)?.name.string ?? ""
        guard let error = rules.queries[name] else { return KEMON_OK }
        return kemon_deny(verdict, error, "not this name")
      },
      handler("pre", KEMON_KIND_NET_CONNECT_PRE) { context, event, verdict in
        guard let event, let verdict, let rules = NetRules.of(context) else {
          return KEMON_E_INVALID
        }
        if let port = rules.redirects[NetRules.port(event)] {
          verdict.pointee.action = UInt16(KEMON_MODIFY)
          verdict.pointee.flags =
            ModifiableFields(named: "net.connect.destination_port")?.patchFlags ?? 0
          verdict.pointee.result = Int64(port)
          return KEMON_OK
        }
        guard let error = rules.connects[NetRules.port(event)] else { return KEMON_OK }
        return kemon_deny(verdict, error, "not this port")
      },
      handler("post", KEMON_KIND_NET_CONNECT) { context, event, verdict in
        guard let event, let verdict, let rules = NetRules.of(context) else {
          return KEMON_E_INVALID
        }
        guard let result = rules.results[NetRules.port(event)] else { return KEMON_OK }
        return kemon_replace_result(verdict, result, "another result")
      },
    ]
  }

  private func handler(
    _ name: String, _ kind: Int, _ function: kemon_handler_fn
  ) -> Handler {
    var handler = Handler(
      name: name, pluginID: 7, pluginName: "test", kinds: [EventKind(kind)], function: function,
      context: Unmanaged.passUnretained(self).toOpaque())
    handler.modifiable = ModifiableFields(rawValue: .max)
    return handler
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> NetRules? {
    context.map { Unmanaged<NetRules>.fromOpaque($0).takeUnretainedValue() }
  }

  private static func port(_ event: UnsafePointer<kemon_event>) -> UInt16 {
    RecordView(trusted: event).view(of: kemon_net_connect.self)?.destination_port ?? 0
  }
}

/// A network of its own with a plugin and somebody who reads what it publishes.
final class NetworkModel {
  static let chrome = Session.Process(
    name: "chrome", pid: 2612, ppid: 1, uid: 501, gid: 20, comm: "Google Chrome", parent: "launchd",
    exe: "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
  static let server = Session.Process(
    name: "httpd", pid: 80, ppid: 1, uid: 0, gid: 0, comm: "httpd", parent: "launchd",
    exe: "/usr/sbin/httpd")

  let clock = EventClock()
  let ring = EventRing()
  let dispatcher: Dispatcher
  let stack: NetworkStack
  private let rules: NetRules
  private let subscription: Subscription

  init(_ rules: NetRules = NetRules(), hosts: [RemoteHost] = []) throws {
    self.rules = rules
    dispatcher = Dispatcher(ring: ring, clock: clock)
    subscription = try ring.subscribe(named: "test", overflow: .drop)
    dispatcher.add(rules.handlers)
    stack = try NetworkStack(
      release: .macOS10_13_6, records: KernelRecords(dispatcher: dispatcher))
    for host in hosts { stack.add(host) }
  }

  /// Lets a process do something.
  @discardableResult
  func run<Result>(
    as process: Session.Process? = chrome, _ body: (NetworkStack) throws -> Result
  ) rethrows -> Result {
    let lane = Lane.current
    let before = lane.process
    lane.process = process
    defer { lane.process = before }
    return try body(stack)
  }

  /// What has been published since the last time.
  func seen(_ kinds: String...) -> [NetSeen] {
    var seen: [NetSeen] = []
    while subscription.drain({ record in
      seen.append(NetSeen(record))
      return true
    }) > 0 {}
    return kinds.isEmpty ? seen : seen.filter { kinds.contains($0.kind) }
  }
}

/// An endpoint written as `192.0.2.1:53` or `[::1]:53`; a text that is none is the test's own mistake.
func end(_ text: String) -> Endpoint {
  let parts = text.split(separator: ":")
  guard let port = parts.last.flatMap({ UInt16($0) }),
    let address = IPAddress(
      text.dropLast("\(port)".count + 1).filter { $0 != "[" && $0 != "]" })
  else { preconditionFailure("\(text) is no endpoint") }
  return Endpoint(address: address, port: port)
}

extension NetworkStack {
  func send(_ text: String, on socket: ModelSocket, to remote: Endpoint? = nil) throws {
    try send(Array(text.utf8), on: socket, to: remote)
  }

  func receiveText(_ socket: ModelSocket) throws -> String? {
    try receive(socket).map { String(decoding: $0.bytes, as: UTF8.self) }
  }
}

/// A query for a name, as a resolver sends it.
func query(_ name: String, type: UInt8 = 1) -> [UInt8] {
  let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
  return [0x9F, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, type, 0, 1]
}
