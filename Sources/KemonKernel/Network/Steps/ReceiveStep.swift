// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A process takes what has arrived.
struct ReceiveStep: SessionStep {
  static let name = "receive"
  static let about = "Takes the next packet that has arrived at a socket."
  static let mainField: String? = "socket"
  static let fields: [SessionField] = [SocketFields.socket]

  private let socket: String

  init(_ members: SessionMembers) throws(SessionError) {
    socket = members.required("socket").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.withSocket(socket) { socket throws(SocketError) in
      guard let packet = try context.model.network.receive(socket) else { return "end of stream" }
      return "\(packet.bytes.count) bytes" + (packet.from.map { " from \($0)" } ?? "")
    }
  }
}
