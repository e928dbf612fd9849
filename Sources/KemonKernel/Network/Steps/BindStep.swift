// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A process gives a socket its local end.
struct BindStep: SessionStep {
  static let name = "bind"
  static let about = "Gives a socket its local address and port."
  static let fields: [SessionField] = [
    SocketFields.socket, SocketFields.address, SocketFields.port,
  ]

  private let socket: String
  private let end: Endpoint

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
    end = try SocketFields.end(members)
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.withSocket(socket) { socket throws(SocketError) in
      try context.model.network.bind(socket, to: end)
      return ""
    }
  }
}
