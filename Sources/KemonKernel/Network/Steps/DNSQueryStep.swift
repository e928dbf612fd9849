// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A process asks a name server.
struct DNSQueryStep: SessionStep {
  static let name = "dns_query"
  static let about = "Asks a name server for a name, with a UDP socket that is closed afterwards."
  static let mainField: String? = "query"
  static let fields: [SessionField] = [
    .required("query", .shortText(1...253), "the name"),
    .optional("server", .text, "the server's address, 192.168.1.1 by default"),
    .optional("type", .integer(1...65535), "the type that is asked for, 1 (A) by default"),
    .optional("id", .integer(UInt16.self), "the number of the query, 0x9f01 by default"),
    .optional(
      "source_port", .integer(UInt16.self), "the local port; the kernel's choice by default"),
  ]

  private let message: [UInt8]
  private let server: Endpoint
  private let port: UInt16?

  init(_ members: SessionMembers) throws(SessionError) {
    let query = members.required("query")
    guard
      let message = DNSMessage.query(
        for: query.string, type: members["type"]?.integer() ?? 1,
        id: members["id"]?.integer() ?? 0x9F01)
    else { throw query.error("\"\(query.string)\" is no name: a label has 1 to 63 bytes") }
    self.message = message
    var address = IPAddress(high: 0, low: 0xC0A8_0101, family: 4)
    if let value = members["server"] { address = try SocketFields.address(value) }
    server = Endpoint(address: address, port: 53)
    port = members["source_port"]?.integer()
  }

  func perform(in context: StepContext) -> StepOutcome {
    let network = context.model.network
    return context.perform { () throws(SocketError) in
      let socket = try network.socket(.datagram, family: server.address.family)
      defer { _ = try? network.close(socket) }
      if let port {
        let any = IPAddress.any(family: server.address.family)
        try network.bind(socket, to: Endpoint(address: any, port: port))
      }
      try network.connect(socket, to: server)
      try network.send(message, on: socket)
      // An answer is there at once, or there is none.
      let answer = try? network.receive(socket)
      return answer.map { "answer of \($0.bytes.count) bytes" } ?? ""
    }
  }
}
