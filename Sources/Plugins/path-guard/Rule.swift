// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// One entry of the configuration's `deny`.
struct Rule {
  /// What a rule can deny.
  struct Operations: OptionSet {
    let rawValue: UInt8

    /// Opening for reading or writing, creating, and opening devices.
    static let open = Operations(rawValue: 1)
    /// Executing.
    static let exec = Operations(rawValue: 2)
  }

  /// In normal form.
  let directory: [UInt8]
  let operations: Operations
  /// Users whom the rule does not concern.
  let exceptions: [UInt32]
  let reason: String

  /// Reads `deny[index]`.
  init(_ config: Config, _ index: Int) throws(ConfigError) {
    let path = "deny[\(index)]"
    try config.allowMembers(["path", "operations", "except"], of: path)
    guard let directory = try config.string("\(path).path"), directory.utf8.first == 0x2F else {
      throw ConfigError("\(path).path", "must be an absolute path")
    }
    self.directory = Array(directory.utf8).withUnsafeBytes { bytes in
      PathView.withNormalForm(of: bytes) { Array($0.bytes) }
    }
    operations = try Self.operations(config, "\(path).operations")
    exceptions = try Self.users(config, "\(path).except")
    reason = "path is below \(directory)"
  }

  /// Whether the rule denies this user this operation on this path.
  func denies(
    _ operation: Operations, _ path: PathView, isCut: Bool, user: UInt32
  ) -> Bool {
    operations.contains(operation)
      && (isCut ? path.couldLeadInside(directory) : path.isInside(directory))
      && (user == .max || !exceptions.contains(user))
  }

  private static func operations(
    _ config: Config, _ path: String
  ) throws(ConfigError) -> Operations {
    guard let names = try config.strings(path) else { return [.open, .exec] }
    var operations: Operations = []
    for (index, name) in names.enumerated() {
      switch name {
      case "open": operations.insert(.open)
      case "exec": operations.insert(.exec)
      default: throw ConfigError("\(path)[\(index)]", "must be \"open\" or \"exec\"")
      }
    }
    guard !operations.isEmpty else { throw ConfigError(path, "must not be empty") }
    return operations
  }

  private static func users(_ config: Config, _ path: String) throws(ConfigError) -> [UInt32] {
    var users: [UInt32] = []
    for (index, number) in (try config.integers(path) ?? []).enumerated() {
      guard let user = UInt32(exactly: number), user != .max else {
        throw ConfigError("\(path)[\(index)]", "must be a user id")
      }
      users.append(user)
    }
    return users
  }
}
