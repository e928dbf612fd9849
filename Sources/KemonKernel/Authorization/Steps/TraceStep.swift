// SPDX-License-Identifier: Apache-2.0

/// A process asks whether it may trace another one.
struct TraceStep: SessionStep {
  static let name = "trace"
  static let about = "Asks whether the process may trace another one."
  static let mainField: String? = "process"
  static let fields: [SessionField] = [.required("process", .process, "who is to be traced")]

  private let target: String

  init(_ members: SessionMembers) throws(SessionError) {
    target = members.required("process").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    guard let target = context.session.processes.first(where: { $0.name == target }) else {
      return .result(DarwinErrno.ESRCH.rawValue)
    }
    return context.call { () throws(DarwinErrno) in
      let files = context.model.files
      try context.model.kauth.checkTrace(of: files.context(for: target), by: context.caller)
      return ""
    }
  }
}
