// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// The kernel asks its MAC policies.
struct AskPoliciesStep: SessionStep {
  static let name = "ask_policies"
  static let about = "Asks the MAC policies about an operation, as the kernel does."
  static let mainField: String? = "operation"
  static let fields: [SessionField] = [
    .required("operation", .text, "its name, mpo_*"),
    .optional(
      "arguments", .list(.address),
      "64 bits each, 0 by default; a structure by value takes one for each 8 bytes"),
  ]

  private let operation: SessionValue
  private let words: [UInt64]

  init(_ members: SessionMembers) throws(SessionError) {
    operation = members.required("operation")
    words = members["arguments"]?.elements.map(\.address) ?? []
  }

  func perform(in context: StepContext) -> StepOutcome {
    let mac = context.model.mac
    guard let index = mac.table.slot(of: operation.string), !mac.table.slots[index].isReserved
    else {
      return .failed("no such operation in \(context.model.release.name)", operation.string)
    }
    let asked = mac.table.slots[index]
    return .result(mac.ask(MACSlot(index: index, operation: asked), words), asked.name)
  }
}
