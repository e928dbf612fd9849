// SPDX-License-Identifier: Apache-2.0

/// An operation's place in the table of a release.
public struct MACSlot: Sendable {
  /// The slot.
  public let index: Int
  /// What stands there.
  public let operation: MACOperation
  let isPlain: Bool

  init(index: Int, operation: MACOperation) {
    self.index = index
    self.operation = operation
    isPlain = operation.isPlain
  }
}
