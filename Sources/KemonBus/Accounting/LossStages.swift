// SPDX-License-Identifier: Apache-2.0

/// Where events were lost on the way to a subscriber.
public struct LossStages: Sendable, Equatable {
  /// Overwritten in the ring before the subscriber came to read them.
  public var overwritten: UInt64
  /// Left unread when the subscriber left.
  public var unread: UInt64
  /// Left unread when the producers gave up waiting for the subscriber.
  public var evicted: UInt64
  /// Taken on purpose, see ``SimulatedLoss``.
  public var simulated: UInt64
  /// Claimed by a producer that died before it published them.
  public var abandoned: UInt64
  /// Refused by the ring, because they were too large or there was no room.
  public var refused: UInt64
  /// Read, but no handler could be called, because another call of its plugin was late.
  public var unasked: UInt64 = 0

  /// Makes a list of losses.
  public init(
    overwritten: UInt64 = 0, unread: UInt64 = 0, evicted: UInt64 = 0, simulated: UInt64 = 0,
    abandoned: UInt64 = 0, refused: UInt64 = 0
  ) {
    self.overwritten = overwritten
    self.unread = unread
    self.evicted = evicted
    self.simulated = simulated
    self.abandoned = abandoned
    self.refused = refused
  }

  /// All of them together.
  public var total: UInt64 {
    overwritten + unread + evicted + simulated + abandoned + refused + unasked
  }

  /// The stages at which something was lost, with their names.
  public var named: [(name: String, count: UInt64)] {
    [
      ("overwritten", overwritten), ("unread", unread), ("evicted", evicted),
      ("simulated", simulated), ("abandoned", abandoned), ("refused", refused),
      ("unasked", unasked),
    ].filter { $0.count > 0 }
  }
}
