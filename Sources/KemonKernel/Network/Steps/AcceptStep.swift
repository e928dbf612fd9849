// SPDX-License-Identifier: Apache-2.0

/// A process takes a connection.
struct AcceptStep: SessionStep {
  static let name = "accept"
  static let about =
    "Takes the next connection of a listening socket, under a name for later steps."
  static let fields: [SessionField] = [
    SocketFields.socket,
    .required("connection", .shortText(1...63), "what the new socket is called"),
  ]

  private let socket: String
  private let connection: String

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
    connection = members.required("connection").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.withSocket(socket) { socket throws(SocketError) in
      let accepted = try context.model.network.accept(socket)
      context.objects.keep(accepted, as: connection)
      return accepted.remote.map { "from \($0)" } ?? ""
    }
  }
}
