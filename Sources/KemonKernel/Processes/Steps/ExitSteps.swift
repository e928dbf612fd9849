// SPDX-License-Identifier: Apache-2.0

/// A process ends.
struct ExitStep: SessionStep {
  static let name = "exit"
  static let about = "Ends the process."
  static let mainField: String? = "status"
  static let fields: [SessionField] = [
    .optional("status", .integer(0...255), "what it says to its parent, 0 by default")
  ]

  private let status: Int32

  init(_ members: SessionMembers) throws(SessionError) {
    status = members["status"]?.integer() ?? 0
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.processes.exit(context.actor, status: status)
      return ""
    }
  }
}

/// A process ends another one.
struct KillStep: SessionStep {
  static let name = "kill"
  static let about = "Lets a signal end another process."
  static let mainField: String? = "process"
  static let fields: [SessionField] = [
    .required("process", .process, "who is to end"),
    .optional("signal", .integer(1...31), "Darwin's number, 9 by default"),
  ]

  private let target: String
  private let signal: Int32

  init(_ members: SessionMembers) throws(SessionError) {
    target = members.required("process").string
    signal = members["signal"]?.integer() ?? 9
  }

  func perform(in context: StepContext) -> StepOutcome {
    guard let target = context.objects.process(named: target) else {
      return .result(DarwinErrno.ESRCH.rawValue)
    }
    return context.call { () throws(DarwinErrno) in
      try context.model.processes.kill(target, signal: signal, by: context.actor)
      return ""
    }
  }
}

/// A process takes note of a child that has ended.
struct WaitStep: SessionStep {
  static let name = "wait"
  static let about = "Says how a child of the process ended, and takes it out of the table."
  static let mainField: String? = "process"
  static let fields: [SessionField] = [
    .optional("process", .process, "the child; any that has ended by default")
  ]

  private let child: String?

  init(_ members: SessionMembers) throws(SessionError) { child = members["process"]?.string }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      var pid: Int32?
      if let child {
        guard let process = context.objects.process(named: child) else { throw .ECHILD }
        pid = process.pid
      }
      let found = try context.model.processes.wait(for: pid, by: context.actor)
      return found.map { "process \($0.pid) ended, \($0.end.text)" } ?? "none has ended"
    }
  }
}
