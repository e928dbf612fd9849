// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

/// How a thread waits for another process: it looks for a while, if that would have been enough the last time, and sleeps
/// else.
///
/// To fall asleep and to be woken takes some microseconds, and some dozens where a processor with nothing to do sleeps,
/// too. But who looks keeps a processor from others, and needs a second one for the other side: after a wait that was long
/// nobody looks. Several threads may share one; they only mislead each other about how long to look.
public final class EagerWait: Sendable {
  /// Nanoseconds that are looked for, and the longest wait after which that is done.
  static let limit: UInt64 = 50_000
  private static let hasOthers = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1

  private let last = Atomic<UInt64>(0)

  /// Begins with looking.
  public init() {}

  /// Waits.
  ///
  /// - Parameters:
  ///   - deadline: of the monotonic clock: nobody looks longer.
  ///   - isThere: whether what is waited for has come.
  ///   - sleep: waits as long as it takes; is called when looking was not enough.
  func wait(
    before deadline: UInt64 = .max, until isThere: () -> Bool, orSleep sleep: () -> Void
  ) {
    if isThere() { return }
    let start = EventClock.monotonic()
    if !look(before: min(deadline, start &+ Self.limit), isThere) { sleep() }
    last.store(EventClock.monotonic() &- start, ordering: .relaxed)
  }

  private func look(before end: UInt64, _ isThere: () -> Bool) -> Bool {
    guard Self.hasOthers, last.load(ordering: .relaxed) <= Self.limit else { return false }
    var turns = 0
    while !isThere() {
      ckemon_pause()
      turns &+= 1
      if turns & 31 == 0, EventClock.monotonic() >= end { return false }
    }
    return true
  }
}
