// SPDX-License-Identifier: Apache-2.0

/// Loses a share of the events on purpose, to see that every loss is counted.
///
/// Deterministic and evenly spread: of `n` events exactly ⌊n × percent ÷ 100⌋ are taken.
public struct SimulatedLoss: Sendable, Equatable {
  /// Takes nothing.
  public static let none = SimulatedLoss(percent: 0)

  /// The share, 0...100.
  public let percent: Int
  private var credit = 0

  /// Makes a loss of so many events in a hundred.
  public init(percent: Int) { self.percent = min(max(percent, 0), 100) }

  /// Whether the next event is taken.
  mutating func takesNext() -> Bool {
    credit += percent
    guard credit >= 100 else { return false }
    credit -= 100
    return true
  }
}
