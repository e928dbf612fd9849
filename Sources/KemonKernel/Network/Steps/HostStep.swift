// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// There is a remote host.
struct HostStep: SessionStep {
  static let name = "host"
  static let about = "Adds a remote host that sockets can talk to."
  static let fields: [SessionField] = [
    SocketFields.address,
    .optional("ether", .text, "its link address; the router's by default"),
    .optional("services", .list(.object(serviceFields)), "what answers; other ports refuse"),
  ]

  private static let serviceFields: [SessionField] = [
    SocketFields.kind,
    .required("port", .integer(1...65535), "its port"),
    .optional(
      "does", .choice(RemoteHost.Service.Behaviour.allCases.map(\.rawValue)),
      "answer (default), echo, refuse, or silent: connections time out"),
    .optional(
      "replies", .list(.text),
      "the answer to the first, second, … packet of a socket; an empty one is none"),
    .optional("reply_bytes", .list(.bytes), "the same as hexadecimal digits, behind the texts"),
  ]

  private let host: RemoteHost

  init(_ members: SessionMembers) throws(SessionError) {
    let address = try SocketFields.address(members.required("address"))
    var ether: EtherAddress?
    if let value = members["ether"] { ether = try SocketFields.ether(value) }
    let services = members["services"]?.elements.map(\.members) ?? []
    host = RemoteHost(address, ether: ether, services: services.map(Self.service))
  }

  private static func service(_ members: SessionMembers) -> RemoteHost.Service {
    let texts = members["replies"]?.elements.map { Array($0.string.utf8) } ?? []
    let bytes = members["reply_bytes"]?.elements.map(\.bytes) ?? []
    let does = members["does"].flatMap { RemoteHost.Service.Behaviour(rawValue: $0.string) }
    return RemoteHost.Service(
      SocketFields.kind(members), port: members.required("port").integer(), does ?? .answer,
      replies: texts + bytes)
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.network.add(host)
    return .done()
  }
}
