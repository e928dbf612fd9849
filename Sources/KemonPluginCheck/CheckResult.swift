// SPDX-License-Identifier: Apache-2.0

/// What came of one check.
public struct CheckResult: Sendable {
  /// How it ended.
  public enum Outcome: String, Sendable {
    /// The plugin keeps the rule.
    case passed
    /// It breaks it, or could not be asked: it crashed or did not return.
    case failed
    /// The rule does not apply, or a check that this one needs has not passed.
    case skipped
  }

  /// The check.
  public let check: Check
  /// How it ended.
  public let outcome: Outcome
  /// What was found and what is needed, or what is worth knowing of a check that passed; may be empty.
  public let message: String
  /// How long its process ran.
  public let milliseconds: Int
  /// The recording with the one event at which the plugin crashed or hung; nil when there is none.
  public let recording: String?
}
