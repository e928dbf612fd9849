// SPDX-License-Identifier: Apache-2.0

internal import KemonPlatform
internal import Synchronization

/// Whether a handler's votes count: after too many faults they are only recorded, for a while.
///
/// Any thread. The lock is taken for faults only, and nothing is called under it.
public final class HandlerStanding: Sendable {
  /// What happened to a handler.
  public enum Change: Sendable, Equatable {
    /// Its votes do not count for so many nanoseconds.
    case quarantined(nanoseconds: UInt64, strikes: Int, last: CallFault)
    /// They count again.
    case released
  }

  /// What can be told about a standing.
  public struct Report: Sendable, Equatable {
    /// Whether its votes are only recorded.
    public var isQuarantined = false
    /// How long that will last, in nanoseconds; 0 when it is not quarantined.
    public var remaining: UInt64 = 0
    /// Faults since the beginning or the last reset.
    public var strikes: UInt64 = 0
    /// How often it was quarantined since then.
    public var quarantines: UInt64 = 0
    /// Answers that came when nobody waited for them any more.
    public var lateAnswers: UInt64 = 0
  }

  /// When the quarantine ends; 0 for none.
  private let end = Atomic<UInt64>(0)
  private let late = Atomic<UInt64>(0)
  private let book: PosixLock<StrikeBook>
  private let clock: @Sendable () -> UInt64
  private let watch: (@Sendable (Change) -> Void)?
  private let cache = PosixLock<VerdictCache?>(nil)

  /// Makes a good standing.
  ///
  /// - Parameters:
  ///   - clock: nanoseconds of any clock that does not step.
  ///   - watch: told what happens, on the thread that owes a verdict: it must not wait for anything.
  public init(
    rules: StrikeBook.Rules = StrikeBook.Rules(),
    clock: @escaping @Sendable () -> UInt64 = { EventClock.monotonic() },
    watch: (@Sendable (Change) -> Void)? = nil
  ) {
    book = PosixLock(StrikeBook(rules))
    self.clock = clock
    self.watch = watch
  }

  /// Whether votes are only recorded now; ends a quarantine whose time is over.
  @inline(__always)
  public var isQuarantined: Bool {
    end.load(ordering: .relaxed) != 0 && isStillQuarantined()
  }

  @inline(never)
  private func isStillQuarantined() -> Bool {
    let until = end.load(ordering: .acquiring)
    guard until != 0 else { return false }
    if clock() < until { return true }
    if end.compareExchange(expected: until, desired: 0, ordering: .acquiringAndReleasing).exchanged
    {
      watch?(.released)
    }
    return false
  }

  /// Writes down a fault; too many begin a quarantine.
  public func strike(_ fault: CallFault) {
    let now = clock()
    let (pause, limit) = book.withLock { book in
      let pause = book.strike(at: now)
      if pause != nil { end.store(book.pausedUntil, ordering: .releasing) }
      return (pause, book.rules.limit)
    }
    guard let pause else { return }
    // Behind the store: an answer that is stored under the new generation was given without this handler's vote.
    cache.withLock { $0 }?.flush(.handlersChanged)
    watch?(.quarantined(nanoseconds: pause, strikes: limit, last: fault))
  }

  /// Counts an answer that came too late.
  public func countLateAnswer() { late.wrappingAdd(1, ordering: .relaxed) }

  /// Forgets all faults: the handler's votes count again.
  public func reset() {
    let wasQuarantined = book.withLock { book in
      book.reset()
      return end.exchange(0, ordering: .acquiringAndReleasing) != 0
    }
    if wasQuarantined { watch?(.released) }
  }

  /// What can be told.
  public var report: Report {
    let isQuarantined = isQuarantined
    let until = end.load(ordering: .relaxed)
    let now = clock()
    return book.withLock { book in
      Report(
        isQuarantined: isQuarantined, remaining: isQuarantined && until > now ? until - now : 0,
        strikes: book.total, quarantines: book.pauses,
        lateAnswers: late.load(ordering: .relaxed))
    }
  }

  /// Remembered answers, which must be forgotten when a vote counts no more.
  func attach(to cache: VerdictCache) { self.cache.withLock { $0 = cache } }
}
