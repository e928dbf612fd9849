// SPDX-License-Identifier: Apache-2.0

/// Root writes to the sysctl `kern.kemon`: what Kemon's own listener listens to.
struct KauthConfigStep: SessionStep {
  static let name = "kauth_config"
  static let about = "Sets the original's configuration string: remove, or add SCOPE [PREFIX]."
  static let mainField: String? = "text"
  static let fields: [SessionField] = [.required("text", .text, "the string")]

  private let text: String

  init(_ members: SessionMembers) throws(SessionError) { text = members.required("text").string }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      guard context.process.uid == 0 else { throw .EPERM }
      return try context.model.kauthMonitor.configure(text) ? "" : "says nothing, changes nothing"
    }
  }
}
