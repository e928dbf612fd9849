// SPDX-License-Identifier: Apache-2.0

/// Kemon's hooks around operations on files are taken out or put in.
struct FileHooksStep: SessionStep {
  static let name = "file_hooks"
  static let about = "Takes Kemon's hooks around operations on files out, or puts them in."
  static let mainField: String? = "on"
  static let fields: [SessionField] = [
    .required("on", .flag, "true to put them in"),
    .optional("lookups", .flag, "also at every step along a path, false by default"),
  ]

  private let isOn: Bool
  private let lookups: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    isOn = members.required("on").flag
    lookups = members["lookups"]?.flag ?? false
  }

  func perform(in context: StepContext) -> StepOutcome {
    do {
      let monitor = context.model.filesMonitor
      if isOn { try monitor.attach(lookups: lookups) } else { try monitor.detach() }
      return .done()
    } catch {
      return .failed("\(error)")
    }
  }
}
