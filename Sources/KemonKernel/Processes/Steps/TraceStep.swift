// SPDX-License-Identifier: Apache-2.0

/// A process begins to trace another one, or gets hold of its task.
struct TraceStep: SessionStep {
  static let name = "trace"
  static let about = "Lets the process trace another one, or gives it the task port of it."
  static let mainField: String? = "process"
  static let fields: [SessionField] = [
    .required("process", .process, "who is to be traced"),
    .optional(
      "by", .choice(["ptrace", "task-port"]),
      "how: PT_ATTACH, which leaves it traced, or task_for_pid; ptrace by default"),
  ]

  private let target: String
  private let isTaskPort: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    target = members.required("process").string
    isTaskPort = members["by"]?.string == "task-port"
  }

  func perform(in context: StepContext) -> StepOutcome {
    guard let target = context.objects.process(named: target) else {
      return .result(DarwinErrno.ESRCH.rawValue)
    }
    let processes = context.model.processes
    if isTaskPort {
      let isGiven = processes.taskPort(of: target, for: context.actor)
      return isGiven ? .done() : .failed("KERN_FAILURE")
    }
    return context.call { () throws(DarwinErrno) in
      try processes.trace(target, by: context.actor)
      return ""
    }
  }
}
