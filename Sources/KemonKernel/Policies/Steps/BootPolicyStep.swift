// SPDX-License-Identifier: Apache-2.0

/// A policy that is there when the system has booted: an element of the session's list of policies.
struct BootPolicyStep: SessionStep {
  static let name = "policies"
  static let about = "Registers a MAC policy while the system boots."
  static let fields = PolicyDeclaration.fields

  private let policy: PolicyDeclaration

  init(_ members: SessionMembers) throws(SessionError) { policy = try PolicyDeclaration(members) }

  func perform(in context: StepContext) -> StepOutcome {
    let mac = context.model.mac
    return mac.duringBoot { policy.register(in: mac) }
  }
}
