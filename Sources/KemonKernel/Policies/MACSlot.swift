// SPDX-License-Identifier: Apache-2.0

/// An operation's place in the table of a release: what callers keep, and copy for nothing.
public struct MACSlot: Sendable {
  /// The slot.
  public let index: Int
  /// How answers are combined.
  public let rule: MACRule
  /// Whether every argument is one word.
  let isPlain: Bool

  init(index: Int, operation: MACOperation) {
    self.index = index
    rule = operation.rule
    isPlain = operation.isPlain
  }
}
