// SPDX-License-Identifier: Apache-2.0

/// What became of every event that was published while a subscriber was there.
public struct SubscriberAccount: Sendable, Equatable {
  /// The name that the subscriber joined under.
  public var name: String
  /// Events published between joining and now, or leaving.
  public var produced: UInt64
  /// Events that reached the subscriber.
  public var delivered: UInt64
  /// Events that its filters kept away from it.
  public var muted: UInt64
  /// Events that did not reach it and should have; see ``losses``.
  public var lost: UInt64
  /// Events that are published and wait to be read; 0 once it has left.
  public var pending: UInt64
  /// Of the muted: those that sampling left out.
  public var sampledOut: UInt64 = 0
  /// Of the lost: at which stage; what is in no stage was lost behind the ring, by the subscriber itself.
  public var losses = LossStages()

  /// Makes an account.
  public init(
    name: String, produced: UInt64 = 0, delivered: UInt64 = 0, muted: UInt64 = 0,
    lost: UInt64 = 0, pending: UInt64 = 0
  ) {
    self.name = name
    self.produced = produced
    self.delivered = delivered
    self.muted = muted
    self.lost = lost
    self.pending = pending
  }

  /// Whether the conservation law holds: nothing disappeared without being counted.
  public var isBalanced: Bool { produced == delivered + muted + lost + pending }
}
