// SPDX-License-Identifier: Apache-2.0

/// The stop function of a kext unregisters its MAC policy.
struct UnregisterPolicyStep: SessionStep {
  static let name = "unregister_policy"
  static let about = "Unregisters a MAC policy."
  static let mainField: String? = "name"
  static let fields: [SessionField] = [.required("name", .text, "its short name")]

  private let policy: String

  init(_ members: SessionMembers) throws(SessionError) {
    policy = members.required("name").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    let mac = context.model.mac
    do throws(MACError) {
      guard let handle = try mac.list().first(where: { $0.name == policy })?.index else {
        return .failed("no such policy", policy)
      }
      return .result(try mac.unregister(handle), policy)
    } catch {
      return .failed(error.message, policy)
    }
  }
}
