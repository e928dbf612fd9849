// SPDX-License-Identifier: Apache-2.0

/// A process opens a file, and keeps it open.
struct OpenStep: SessionStep {
  static let name = "open"
  static let about = "Opens a file and keeps it open until the step close."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .text, "the file"),
    .optional("flags", .list(.choice(OpenFlags.names.keys.sorted())), "read by default"),
    .optional("mode", .text, "permission bits of a file that is made, 0644 by default"),
    .optional("name", .text, "what later steps call it, its path by default"),
  ]

  private let path: String
  private let flags: OpenFlags
  private let mode: UInt16
  private let name: String

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    let names = members["flags"]?.elements.map(\.string) ?? ["read"]
    flags = OpenFlags(names.compactMap { OpenFlags.names[$0] })
    mode = try members["mode"]?.permissions() ?? 0o644
    name = members["name"]?.string ?? path
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let caller = context.caller
      let descriptor = try context.model.files.open(path, flags, mode: mode, as: caller)
      context.keep(descriptor, as: name)
      return ""
    }
  }
}
