// SPDX-License-Identifier: Apache-2.0

/// A process gives a file another name.
struct RenameStep: SessionStep {
  static let name = "rename"
  static let about = "Gives a file another name, in place of what has it."
  static let fields: [SessionField] = [
    .required("from", .text, "the file"), .required("to", .text, "its new name"),
    .optional(
      "flags", .list(.choice(["exclusive", "swap"])),
      "exclusive: the new name must be free; swap: both names change places"),
  ]

  private let from: String
  private let to: String
  private let flags: RenameFlags

  init(_ members: SessionMembers) throws(SessionError) {
    from = members.required("from").string
    to = members.required("to").string
    let names = members["flags"]?.elements.map(\.string) ?? []
    flags = RenameFlags(names.map { $0 == "swap" ? .swap : .exclusive })
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.files.rename(from, to: to, flags, as: context.caller)
      return ""
    }
  }
}

/// A process lets two files have each other's data.
struct ExchangeStep: SessionStep {
  static let name = "exchange"
  static let about = "Lets two files have each other's data."
  static let fields: [SessionField] = [
    .required("first", .text, "one file"), .required("second", .text, "the other one"),
  ]

  private let first: String
  private let second: String

  init(_ members: SessionMembers) throws(SessionError) {
    first = members.required("first").string
    second = members.required("second").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      try context.model.files.exchange(first, second, as: context.caller)
      return ""
    }
  }
}

/// A process gives a file one more name.
struct LinkStep: SessionStep {
  static let name = "link"
  static let about = "Gives a file one more name, or makes a symbolic link."
  static let fields: [SessionField] = [
    .required("path", .text, "the file; of a symbolic link any text"),
    .required("to", .text, "the new name"),
    .optional("symbolic", .flag, "a symbolic link, false by default"),
  ]

  private let path: String
  private let to: String
  private let isSymbolic: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    to = members.required("to").string
    isSymbolic = members["symbolic"]?.flag ?? false
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      if isSymbolic {
        try context.model.files.symlink(to, to: path, as: context.caller)
      } else {
        try context.model.files.link(path, as: to, by: context.caller)
      }
      return ""
    }
  }
}

/// A process takes a name away.
struct DeleteStep: SessionStep {
  static let name = "delete"
  static let about = "Takes a file's name away, or removes an empty directory."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .text, "the file"),
    .optional("directory", .flag, "it is a directory, false by default"),
  ]

  private let path: String
  private let isDirectory: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    isDirectory = members["directory"]?.flag ?? false
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      if isDirectory {
        try context.model.files.removeDirectory(path, as: context.caller)
      } else {
        try context.model.files.unlink(path, as: context.caller)
      }
      return ""
    }
  }
}
