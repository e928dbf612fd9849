// SPDX-License-Identifier: Apache-2.0

/// A process makes a directory.
struct MakeDirectoryStep: SessionStep {
  static let name = "mkdir"
  static let about = "Makes a directory."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .text, "the directory"),
    .optional("mode", .text, "permission bits, 0755 by default"),
  ]

  private let path: String
  private let mode: UInt16

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    mode = try members["mode"]?.permissions() ?? 0o755
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.files.makeDirectory(path, mode: mode, as: context.caller)
      return ""
    }
  }
}

/// A process changes permission bits.
struct ChangeModeStep: SessionStep {
  static let name = "chmod"
  static let about = "Changes the permission bits of a file."
  static let fields: [SessionField] = [
    .required("path", .text, "the file"), .required("mode", .text, "as in 0644"),
  ]

  private let path: String
  private let mode: UInt16

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    mode = try members.required("mode").permissions()
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.files.setMode(mode, of: path, as: context.caller)
      return ""
    }
  }
}

/// A process asks what is known of a file.
struct StatusStep: SessionStep {
  static let name = "stat"
  static let about = "Says what is known of a file."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [.required("path", .text, "the file")]

  private let path: String

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      let status = try context.model.files.status(path, as: context.caller)
      let digits = String(status.mode, radix: 8)
      let mode = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      return "\(status.type.rawValue), mode \(mode), user \(status.user), group \(status.group), "
        + "\(status.links) names, \(status.size) bytes"
    }
  }
}
