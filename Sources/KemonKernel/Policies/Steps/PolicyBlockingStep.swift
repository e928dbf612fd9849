// SPDX-License-Identifier: Apache-2.0

/// Chooses how registrations that plugins deny are kept from happening.
struct PolicyBlockingStep: SessionStep {
  static let name = "policy_blocking"
  static let about = "Chooses how a denied MAC policy is kept out."
  static let mainField: String? = "by"
  static let fields: [SessionField] = [
    .required(
      "by", .choice(["skip", "rename"]),
      "skip: the kernel is not called, the default; rename: to AMFI, as the original did")
  ]

  private let blocking: MACBlocking

  init(_ members: SessionMembers) throws(SessionError) {
    blocking = members.required("by").string == "rename" ? .rename : .skip
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.mac.setBlocking(blocking)
    return .done()
  }
}
