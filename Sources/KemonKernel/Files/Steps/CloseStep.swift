// SPDX-License-Identifier: Apache-2.0

/// A process closes a file that an earlier step has opened.
struct CloseStep: SessionStep {
  static let name = "close"
  static let about = "Closes a file that a step open has left open."
  static let mainField: String? = "name"
  static let fields: [SessionField] = [
    .required("name", .text, "what the step open called it")
  ]

  private let name: String

  init(_ members: SessionMembers) throws(SessionError) {
    name = members.required("name").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let file = try context.kept(name)
      context.forget(name)
      try context.model.files.close(file.descriptor, as: file.owner)
      return ""
    }
  }
}
