// SPDX-License-Identifier: Apache-2.0

/// When somebody has failed too often, and for how long nobody is to trust him: pauses that double, as long as he fails
/// again soon after them.
///
/// A value without a clock: whoever asks says what time it is.
public struct StrikeBook: Sendable, Equatable {
  /// How many failures are too many, and what follows.
  public struct Rules: Sendable, Equatable {
    /// Strikes that begin a pause, when they come within the window.
    public var limit: Int
    /// Nanoseconds of the window.
    public var window: UInt64
    /// Nanoseconds of the first pause.
    public var firstPause: UInt64
    /// Nanoseconds of the longest one.
    public var longestPause: UInt64

    /// Makes rules.
    public init(
      limit: Int = 3, window: UInt64 = 60_000_000_000, firstPause: UInt64 = 1_000_000_000,
      longestPause: UInt64 = 60_000_000_000
    ) {
      self.limit = max(limit, 1)
      self.window = window
      self.firstPause = max(firstPause, 1)
      self.longestPause = max(longestPause, firstPause, 1)
    }
  }

  /// The rules.
  public let rules: Rules
  /// Strikes since the beginning or the last ``reset()``.
  public private(set) var total: UInt64 = 0
  /// Pauses since then.
  public private(set) var pauses: UInt64 = 0
  /// When the last pause ends or has ended; 0 when there was none.
  public private(set) var pausedUntil: UInt64 = 0

  /// The last strikes, oldest first; never more than the limit.
  private var recent: [UInt64] = []
  /// How long the last pause was.
  private var lastPause: UInt64 = 0

  /// A book without strikes.
  public init(_ rules: Rules = Rules()) { self.rules = rules }

  /// Whether a pause is going on.
  public func isPaused(at now: UInt64) -> Bool { now < pausedUntil }

  /// Writes down a failure.
  ///
  /// - Returns: nanoseconds of the pause that begins with it; nil when none does, or one is going on.
  public mutating func strike(at now: UInt64) -> UInt64? {
    total &+= 1
    // A clock of events goes back when a recording is played again.
    recent.removeAll { $0 > now || now - $0 > rules.window }
    recent.append(now)
    if recent.count > rules.limit { recent.removeFirst() }
    guard recent.count == rules.limit, !isPaused(at: now) else { return nil }
    let isSoon = lastPause > 0 && now - pausedUntil <= rules.window
    let doubled = lastPause.multipliedReportingOverflow(by: 2)
    lastPause = isSoon ? (doubled.overflow ? .max : doubled.partialValue) : rules.firstPause
    lastPause = min(lastPause, rules.longestPause)
    let end = now.addingReportingOverflow(lastPause)
    pausedUntil = end.overflow ? .max : end.partialValue
    pauses &+= 1
    return lastPause
  }

  /// Forgets everything.
  public mutating func reset() { self = StrikeBook(rules) }
}
