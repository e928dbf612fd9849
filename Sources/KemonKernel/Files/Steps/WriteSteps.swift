// SPDX-License-Identifier: Apache-2.0

/// A process opens a file to write, writes, and closes it; or writes to a file that is open.
struct WriteStep: SessionStep {
  static let name = "write"
  static let about =
    "Opens a file to write, writes a text, closes it; or writes to one that is open."
  static let fields = WriteMembers.fields

  private let members: WriteMembers

  init(_ members: SessionMembers) throws(SessionError) { self.members = try WriteMembers(members) }

  func perform(in context: StepContext) -> StepOutcome { members.write([.write], in: context) }
}

/// A process opens a file to append, writes, and closes it.
struct AppendStep: SessionStep {
  static let name = "append"
  static let about =
    "Opens a file to append, writes a text, closes it; or writes to one that is open."
  static let fields = WriteMembers.fields

  private let members: WriteMembers

  init(_ members: SessionMembers) throws(SessionError) { self.members = try WriteMembers(members) }

  func perform(in context: StepContext) -> StepOutcome {
    members.write([.write, .append], in: context)
  }
}

/// A process makes a file.
struct CreateStep: SessionStep {
  static let name = "create"
  static let about = "Makes a file, or empties one that is there, writes a text, and closes it."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .text, "the file"),
    .optional("text", .text, "what is written, nothing by default"),
    .optional("mode", .text, "permission bits of the new file, 0644 by default"),
  ]

  private let path: String
  private let text: String
  private let mode: UInt16

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    text = members["text"]?.string ?? ""
    mode = try members["mode"]?.permissions() ?? 0o644
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let files = context.model.files
      let caller = context.caller
      let file = try files.open(path, [.write, .create, .truncate], mode: mode, as: caller)
      if !text.isEmpty { try files.write(text, to: file, as: caller) }
      try files.close(file, as: caller)
      return ""
    }
  }
}

/// What the steps that write have in common.
struct WriteMembers: Sendable {
  static let fields: [SessionField] = [
    .optional("path", .text, "the file; or give open"),
    .optional("open", .text, "a file that a step open has left open; or give path"),
    .required("text", .text, "what is written"),
  ]

  private let path: String?
  private let open: String?
  private let text: String

  init(_ members: SessionMembers) throws(SessionError) {
    path = members["path"]?.string
    open = members["open"]?.string
    text = members.required("text").string
    guard (path == nil) != (open == nil) else {
      throw members.object.error("needed is one of path and open")
    }
  }

  func write(_ flags: OpenFlags, in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let files = context.model.files
      if let open {
        let file = try context.kept(open)
        try files.write(text, to: file.descriptor, as: file.owner)
        return ""
      }
      let caller = context.caller
      let file = try files.open(path ?? "", flags, as: caller)
      try files.write(text, to: file, as: caller)
      try files.close(file, as: caller)
      return ""
    }
  }
}
