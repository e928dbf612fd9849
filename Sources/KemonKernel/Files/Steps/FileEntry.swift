// SPDX-License-Identifier: Apache-2.0

/// Something that is in the tree before anything happens: an element of the section `files`.
///
/// Directories on the way are made as needed. Nobody is asked and nobody is told.
struct FileEntry: SessionStep {
  static let name = "file"
  static let about = "Is in the tree before anything happens."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .path, "where it is"),
    .optional(
      "type", .choice(FileStatus.FileType.allCases.map(\.rawValue)), "file by default"),
    .optional("text", .text, "the data of a file"),
    .optional("target", .text, "where a link leads to"),
    .optional("mode", .text, "permission bits, 0644 by default, 0755 for directories"),
    .optional("uid", .integer(UInt32.self), "the owner, 0 by default"),
    .optional("gid", .integer(UInt32.self), "the group, 0 by default"),
  ]

  private let path: String
  private let entry: TreeEntry

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    let type = members["type"].flatMap { FileStatus.FileType(rawValue: $0.string) } ?? .regular
    let defaultMode: UInt16 = type == .directory ? 0o755 : 0o644
    if let text = members["text"], type != .regular { throw text.error("only a file has data") }
    if let target = members["target"], type != .link {
      throw target.error("only a link leads anywhere")
    }
    if type == .link, members["target"] == nil {
      throw members.object.error("needed is target, where the link leads to")
    }
    entry = TreeEntry(
      type: type, mode: try members["mode"]?.permissions() ?? defaultMode,
      user: members["uid"]?.integer() ?? 0, group: members["gid"]?.integer() ?? 0,
      contents: Array((members["text"]?.string ?? "").utf8),
      target: Array((members["target"]?.string ?? "").utf8))
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.files.place(entry, at: path)
      return ""
    }
  }
}
