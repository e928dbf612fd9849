// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// Another kext registers a socket filter.
struct AttachFilterStep: SessionStep {
  static let name = "attach_filter"
  static let about = "Registers a socket filter that answers one callback; new sockets get it."
  static let fields: [SessionField] = [
    .required("filter", .shortText(1...63), "what it is called"),
    SocketFields.kind,
    .optional("family", .integer(4...6), "4 (default) or 6"),
    .required("callback", .choice(ScriptedFilter.Callback.allCases.map(\.rawValue)), "which"),
    .required(
      "answer", .text,
      "0, an error's name, or EJUSTRETURN: the filter has done the rest itself"),
    .optional("existing", .flag, "whether sockets that are there get it, too"),
  ]

  private let filter: String
  private let kind: SocketKind
  private let family: UInt16
  private let callback: ScriptedFilter.Callback
  private let answer: Int32
  private let meetsExisting: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    filter = members.required("filter").string
    kind = SocketFields.kind(members)
    family = members["family"]?.integer() ?? 4
    let name = members.required("callback").string
    callback = ScriptedFilter.Callback(rawValue: name) ?? .bind
    let answer = members.required("answer")
    if answer.string == "0" {
      self.answer = 0
    } else if let number = ErrnoName.named(answer.string)?.darwin {
      self.answer = number
    } else {
      throw answer.error("\"\(answer.string)\" is neither 0 nor the name of an error")
    }
    meetsExisting = members["existing"]?.flag ?? false
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.perform { () throws(SocketError) in
      try context.model.network.register(
        ScriptedFilter(filter, callback, answer: answer), kind, family: family,
        meetsExisting: meetsExisting)
      return ""
    }
  }
}
