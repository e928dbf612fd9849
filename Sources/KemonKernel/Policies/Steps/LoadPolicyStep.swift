// SPDX-License-Identifier: Apache-2.0

/// A kext with a MAC policy, in a library of this system, is started.
struct LoadPolicyStep: SessionStep {
  static let name = "load_policy"
  static let about = "Starts a kext with a MAC policy that is a library of this system."
  static let mainField: String? = "file"
  static let fields: [SessionField] = [
    .required("file", .text, "the library, see `kemon-host mac header`")
  ]

  private let file: String

  init(_ members: SessionMembers) throws(SessionError) { file = members.required("file").string }

  func perform(in context: StepContext) -> StepOutcome {
    do throws(MACError) {
      return .result(try MACPolicyLibrary(path: file).start(in: context.model.mac), file)
    } catch {
      return .failed(error.message, file)
    }
  }
}
