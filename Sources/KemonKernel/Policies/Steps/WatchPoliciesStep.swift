// SPDX-License-Identifier: Apache-2.0

/// Kemon stands in for the functions of MAC policies, so that plugins see and decide every call.
struct WatchPoliciesStep: SessionStep {
  static let name = "watch_policies"
  static let about = "Lets plugins see every operation of MAC policies, before and after."
  static let fields: [SessionField] = [
    .optional("names", .list(.text), "short names of the policies, all by default")
  ]

  private let names: Set<String>?

  init(_ members: SessionMembers) throws(SessionError) {
    names = members["names"].map { Set($0.elements.map(\.string)) }
  }

  func perform(in context: StepContext) -> StepOutcome {
    do throws(MACError) {
      try context.model.mac.watch(names)
      return .done()
    } catch {
      return .failed(error.message)
    }
  }
}
