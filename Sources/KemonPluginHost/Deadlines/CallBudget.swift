// SPDX-License-Identifier: Apache-2.0

/// How long a call of a handler may take.
enum CallBudget {
  /// What a handler has whose plugin declares that it can be in one call at a time, when nobody says a time: whoever
  /// waits for its turn must not wait for ever.
  static let forTurns: UInt64 = 50_000_000
  /// What a handler in quarantine has at most: its vote decides nothing.
  static let inQuarantine: UInt64 = 1_000_000
  /// The longest one that can be declared: an hour.
  static let limit: UInt64 = 3_600_000_000_000

  /// The least and the most that is left for the host of the time until an event's deadline.
  static let headroom: ClosedRange<UInt64> = 100_000...5_000_000_000

  /// Nanoseconds for a call: the budget, or 80 % of what is left until the event's deadline.
  ///
  /// - Parameters:
  ///   - deadline: of the event, on the event clock; 0 for none.
  ///   - now: of the event clock.
  static func allowance(_ budget: UInt64, deadline: UInt64, now: UInt64) -> UInt64 {
    guard deadline != 0 else { return budget }
    guard deadline > now else { return 0 }
    let left = deadline - now
    let kept = min(max(left / 5, headroom.lowerBound), headroom.upperBound)
    return min(budget, left > kept ? left - kept : 0)
  }
}
