// SPDX-License-Identifier: Apache-2.0

/// A process closes a socket.
struct CloseSocketStep: SessionStep {
  static let name = "close_socket"
  static let about = "Closes a socket: Kemon's filters are detached, and tell what passed."
  static let mainField: String? = "socket"
  static let fields: [SessionField] = [SocketFields.socket]

  private let socket: String

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    defer { context.objects.forget(socket) }
    return context.withSocket(socket) { socket throws(SocketError) in
      try context.model.network.close(socket)
      return ""
    }
  }
}
