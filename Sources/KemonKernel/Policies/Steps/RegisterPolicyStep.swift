// SPDX-License-Identifier: Apache-2.0

/// The start function of a kext registers a MAC policy.
struct RegisterPolicyStep: SessionStep {
  static let name = "register_policy"
  static let about = "Registers a MAC policy."
  static let mainField: String? = "name"
  static let fields = PolicyDeclaration.fields

  private let policy: PolicyDeclaration

  init(_ members: SessionMembers) throws(SessionError) { policy = try PolicyDeclaration(members) }

  func perform(in context: StepContext) -> StepOutcome {
    return policy.register(in: context.model.mac)
  }
}
