// SPDX-License-Identifier: Apache-2.0

/// A process lets a socket take connections.
struct ListenStep: SessionStep {
  static let name = "listen"
  static let about = "Lets a bound TCP socket take connections."
  static let mainField: String? = "socket"
  static let fields: [SessionField] = [
    SocketFields.socket,
    .optional("backlog", .integer(0...128), "how many may wait to be accepted, 128 by default"),
  ]

  private let socket: String
  private let backlog: Int32

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
    backlog = members["backlog"]?.integer() ?? 128
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.withSocket(socket) { socket throws(SocketError) in
      try context.model.network.listen(socket, backlog: backlog)
      return ""
    }
  }
}
