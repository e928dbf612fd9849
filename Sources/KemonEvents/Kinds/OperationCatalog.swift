// SPDX-License-Identifier: Apache-2.0

/// The operations that events of `mac.op` tell of, with the prototypes that releases of the kernel gave them.
///
/// A handler may name one of them like a kind: `mac.vnode_check_signature` is `mac.op` of `mpo_vnode_check_signature`.
public struct OperationCatalog: Sendable {
  /// What an operation's arguments were in some releases.
  public struct Prototype: Sendable {
    /// What the words of the arguments are called, as in a record.
    public let names: [String]
    /// The type in C of each of these words.
    public let types: [String]
    /// The first release that had it, for people.
    public let since: String
    /// Whether the kernel that runs has it; false for all when none runs.
    public let isRunning: Bool

    /// Makes a prototype; names and types belong together.
    public init(names: [String], types: [String], since: String, isRunning: Bool) {
      self.names = names
      self.types = types
      self.since = since
      self.isRunning = isRunning
    }
  }

  /// Every operation's name, as in `mpo_vnode_check_open`.
  public let names: [String]
  /// The kernel that runs, for people; nil when none does, as in a replay.
  public let running: String?
  private let find: @Sendable (String) -> [Prototype]

  /// Makes a catalog.
  ///
  /// - Parameters:
  ///   - names: every operation's, as ``names``.
  ///   - running: the kernel that runs, as ``running``.
  ///   - prototypes: those of an operation, oldest first; empty for one that is not known.
  public init(
    names: [String], running: String?, prototypes: @escaping @Sendable (String) -> [Prototype]
  ) {
    self.names = names
    self.running = running
    find = prototypes
  }

  /// The prototypes of an operation, oldest first.
  public func prototypes(of operation: String) -> [Prototype] { find(operation) }

  /// What every operation's name begins with.
  public static let prefix = "mpo_"

  /// The operations that a handler's pattern for kinds names: `mac.vnode_check_open`, `mac.vnode_*`.
  ///
  /// - Returns: their names, in order; empty when the pattern is none of operations, or names kinds, as `mac.*` does.
  public func operations(matching pattern: String) -> [String] {
    guard pattern.hasPrefix("mac."), EventKind.matching(pattern, phase: nil).isEmpty else {
      return []
    }
    let name = Self.prefix + pattern.dropFirst(4)
    guard name.hasSuffix("*") else { return names.contains(name) ? [name] : [] }
    return names.filter { $0.hasPrefix(name.dropLast()) }
  }
}
