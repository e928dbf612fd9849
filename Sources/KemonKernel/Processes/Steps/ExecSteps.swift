// SPDX-License-Identifier: Apache-2.0

/// A process executes another image.
struct ExecStep: SessionStep {
  static let name = "exec"
  static let about = "Lets the process execute a file, and load the libraries that it needs."
  static let mainField: String? = "path"
  static let fields: [SessionField] = ImageMembers.fields

  private let members: ImageMembers

  init(_ members: SessionMembers) throws(SessionError) { self.members = ImageMembers(members) }

  func perform(in context: StepContext) -> StepOutcome {
    let processes = context.model.processes
    let outcome = context.call { () throws(DarwinErrno) in
      try processes.execute(
        members.path, members.arguments, environment: members.environment, as: context.actor)
      return ""
    }
    return outcome.failure == nil ? ImageMembers.launch(context.actor, of: processes) : outcome
  }
}

/// A process makes a child that executes an image.
struct SpawnStep: SessionStep {
  static let name = "spawn"
  static let about = "Makes a child that executes a file: posix_spawn."
  static let fields: [SessionField] = ChildFields.all + ImageMembers.fields
  static let child: (name: String, pid: String)? = ChildFields.names

  private let child: String
  private let pid: Int32
  private let members: ImageMembers

  init(_ members: SessionMembers) throws(SessionError) {
    child = members.required("child").string
    pid = members.required("pid").integer()
    self.members = ImageMembers(members)
  }

  func perform(in context: StepContext) -> StepOutcome {
    let processes = context.model.processes
    do throws(DarwinErrno) {
      let made = try processes.spawn(
        members.path, members.arguments, environment: members.environment, as: context.actor,
        pid: pid)
      context.objects.keep(made, named: child)
      return ImageMembers.launch(made, of: processes)
    } catch {
      return .result(error.rawValue)
    }
  }
}

/// What the steps that execute have in common.
struct ImageMembers: Sendable {
  static let fields: [SessionField] = [
    .required("path", .text, "the file: a program, or a script"),
    .optional("argv", .list(.text), "its arguments, its own name first; the path by default"),
    .optional("env", .list(.text), "its environment, as in PATH=/bin; nothing by default"),
  ]

  let path: String
  let arguments: [String]
  let environment: [String]

  init(_ members: SessionMembers) {
    path = members.required("path").string
    arguments = members["argv"]?.elements.map(\.string) ?? [members.required("path").string]
    environment = members["env"]?.elements.map(\.string) ?? []
  }

  /// Lets dyld do its part, and says what became of the process.
  static func launch(_ process: ModelProcess, of processes: Processes) -> StepOutcome {
    if let end = process.end { return .done("killed, \(end.text)") }
    do throws(DyldError) {
      try Dyld(processes).launch(process)
      return .done()
    } catch {
      return .failed("dyld", "\(error)")
    }
  }
}
