// SPDX-License-Identifier: Apache-2.0

/// Another kext unregisters its socket filter.
struct DetachFilterStep: SessionStep {
  static let name = "detach_filter"
  static let about = "Unregisters a socket filter: it is detached from every socket."
  static let mainField: String? = "filter"
  static let fields: [SessionField] = [
    .required("filter", .shortText(1...63), "what it is called")
  ]

  private let filter: String

  init(_ members: SessionMembers) throws(SessionError) {
    filter = members.required("filter").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.perform { () throws(SocketError) in
      try context.model.network.unregister(filter)
      return ""
    }
  }
}
