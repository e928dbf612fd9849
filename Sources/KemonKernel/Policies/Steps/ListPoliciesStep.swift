// SPDX-License-Identifier: Apache-2.0

/// Kemon lists the MAC policies of the kernel, with their functions.
struct ListPoliciesStep: SessionStep {
  static let name = "list_policies"
  static let about = "Lists the MAC policies to plugins, one event each."
  static let fields: [SessionField] = []

  init(_ members: SessionMembers) throws(SessionError) {}

  func perform(in context: StepContext) -> StepOutcome {
    do throws(MACError) {
      let policies = try context.model.mac.showList()
      return .done("\(policies.count) policies")
    } catch {
      return .failed(error.message)
    }
  }
}
