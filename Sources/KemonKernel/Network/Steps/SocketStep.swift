// SPDX-License-Identifier: Apache-2.0

/// A process makes a socket.
struct SocketStep: SessionStep {
  static let name = "socket"
  static let about = "Makes a socket, under a name for later steps."
  static let fields: [SessionField] = [
    SocketFields.socket, SocketFields.kind,
    .optional("family", .integer(4...6), "4 (default) or 6"),
  ]

  private let socket: String
  private let kind: SocketKind
  private let family: UInt16

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
    kind = SocketFields.kind(members)
    family = members["family"]?.integer() ?? 4
    if family == 5, let value = members["family"] { throw value.error("needed is 4 or 6") }
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.perform { () throws(SocketError) in
      let made = try context.model.network.socket(kind, family: family)
      context.objects.keep(made, as: socket)
      return ""
    }
  }
}
