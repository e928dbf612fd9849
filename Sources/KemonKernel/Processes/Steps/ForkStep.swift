// SPDX-License-Identifier: Apache-2.0

/// A process makes a child.
struct ForkStep: SessionStep {
  static let name = "fork"
  static let about = "Makes a child of the process: the same image, the same files."
  static let fields: [SessionField] = ChildFields.all
  static let child: (name: String, pid: String)? = ChildFields.names

  private let child: String
  private let pid: Int32

  init(_ members: SessionMembers) throws(SessionError) {
    child = members.required("child").string
    pid = members.required("pid").integer()
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let made = try context.model.processes.fork(context.actor, pid: pid)
      context.objects.keep(made, named: child)
      return ""
    }
  }
}

/// What the steps that make processes have in common.
enum ChildFields {
  static let names = (name: "child", pid: "pid")
  static let all: [SessionField] = [
    .required("child", .shortText(1...63), "what later steps call the child"),
    .required("pid", .integer(2...99_999), "the number of the child"),
  ]
}
