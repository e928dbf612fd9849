// SPDX-License-Identifier: Apache-2.0

/// A process asks the kernel to load a kext.
struct LoadStep: SessionStep {
  static let name = "load"
  static let about = "Loads a kext, and before it what it needs."
  static let mainField: String? = "kext"
  static let fields: [SessionField] = [
    .required("kext", .kext, "which kext of the session")
  ]

  private let kext: String

  init(kext: String) { self.kext = kext }

  init(_ members: SessionMembers) throws(SessionError) {
    kext = members.required("kext").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    let result = context.model.kexts.load(kext)
    return result == .success ? .done() : .failed(result.description)
  }
}
