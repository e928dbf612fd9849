// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A process sends bytes.
struct SendStep: SessionStep {
  static let name = "send"
  static let about = "Sends a text or bytes on a socket."
  static let fields: [SessionField] = [
    SocketFields.socket, SocketFields.text, SocketFields.bytes,
    .optional("address", .text, "where to, for a UDP socket that is not connected"),
    .optional("port", .integer(UInt16.self), "the port there"),
  ]

  private let socket: String
  private let content: [UInt8]
  private let end: Endpoint?

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
    content = try SocketFields.content(members)
    end = try SocketFields.endIfAny(members)
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.withSocket(socket) { socket throws(SocketError) in
      try context.model.network.send(content, on: socket, to: end)
      return ""
    }
  }
}
