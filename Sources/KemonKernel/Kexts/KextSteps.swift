// SPDX-License-Identifier: Apache-2.0

extension KextReturn {
  /// What it says about the step that asked for it.
  var outcome: StepOutcome { self == .success ? .done() : .failed(description) }
}

/// A process asks the kernel to start a loaded kext.
struct StartStep: SessionStep {
  static let name = "start"
  static let about = "Starts a loaded kext."
  static let mainField: String? = "kext"
  static let fields: [SessionField] = [
    .required("kext", .kext, "which kext of the session"),
    .optional("dependencies", .flag, "whether what it needs is started, too; true by default"),
  ]

  private let kext: String
  private let withDependencies: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    kext = members.required("kext").string
    withDependencies = members["dependencies"]?.flag ?? true
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.kexts.request { loader in
      loader.requestStart(kext, withDependencies: withDependencies)
    }.outcome
  }
}

/// A process asks the kernel to stop a kext.
struct StopStep: SessionStep {
  static let name = "stop"
  static let about = "Stops a kext; it stays loaded."
  static let mainField: String? = "kext"
  static let fields: [SessionField] = [.required("kext", .kext, "which kext of the session")]

  private let kext: String

  init(_ members: SessionMembers) throws(SessionError) {
    kext = members.required("kext").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.kexts.request { $0.requestStop(kext) }.outcome
  }
}

/// A process asks the kernel to unload a kext.
struct UnloadStep: SessionStep {
  static let name = "unload"
  static let about = "Stops and unloads a kext."
  static let mainField: String? = "kext"
  static let fields: [SessionField] = [.required("kext", .kext, "which kext of the session")]

  private let kext: String

  init(_ members: SessionMembers) throws(SessionError) {
    kext = members.required("kext").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.model.kexts.request { $0.requestRemoval(kext) }.outcome
  }
}
