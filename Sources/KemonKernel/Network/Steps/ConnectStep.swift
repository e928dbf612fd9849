// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A process connects a socket.
struct ConnectStep: SessionStep {
  static let name = "connect"
  static let about = "Connects a socket to an address and port."
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
      try context.model.network.connect(socket, to: end)
      return ""
    }
  }
}
