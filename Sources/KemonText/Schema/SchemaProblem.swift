// SPDX-License-Identifier: Apache-2.0

/// One place where a value breaks its schema, or a schema is none.
public struct SchemaProblem: Equatable, Sendable, CustomStringConvertible {
  /// Where, as in `deny[0].id`; empty for the whole.
  public let path: String
  /// What is there; never a secret.
  public let found: String
  /// What should be there.
  public let needed: String

  /// The problem as one line.
  public var description: String {
    "\(path.isEmpty ? "" : path + ": ")found \(found), needed is \(needed)"
  }
}

/// Everything that is wrong with a schema.
public struct SchemaFailure: Error, Equatable, Sendable {
  /// In the order of the text.
  public let problems: [SchemaProblem]
}
