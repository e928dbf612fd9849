// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The clock of events: the system's, or the time of the event that is being replayed.
///
/// Any thread.
public final class EventClock: Sendable {
  private let virtual = Atomic<UInt64>(0)
  /// When ``onAlarm(_:)`` is to be called, if the clock is moved that far.
  private let alarm = Atomic<UInt64>(.max)
  private let listener = Mutex<(@Sendable (UInt64) -> Void)?>(nil)

  /// A clock that follows the system's until it is ``set(_:)``.
  public init() {}

  /// Nanoseconds since 1970.
  public func now() -> UInt64 {
    let time = virtual.load(ordering: .relaxed)
    return time != 0 ? time : Self.system()
  }

  /// A time for intervals: it never steps, and is as virtual as the clock.
  public func steady() -> UInt64 {
    let time = virtual.load(ordering: .relaxed)
    return time != 0 ? time : Self.monotonic()
  }

  /// Makes the clock stand at a time, as during replay; 0 = follow the system again.
  public func set(_ nanoseconds: UInt64) { virtual.store(nanoseconds, ordering: .relaxed) }

  /// Makes the clock stand at a later time, after what is due until then: how replay lets time pass.
  public func advance(to nanoseconds: UInt64) {
    if nanoseconds >= alarm.load(ordering: .relaxed) { ring(nanoseconds) }
    set(nanoseconds)
  }

  /// Says when the alarm is to ring if time passes by ``advance(to:)``; `UInt64.max` for never.
  public func setAlarm(_ nanoseconds: UInt64) { alarm.store(nanoseconds, ordering: .relaxed) }

  /// Says what the alarm does: it is told to which time the clock is moved, and may set the clock and the alarm.
  public func onAlarm(_ body: (@Sendable (UInt64) -> Void)?) { listener.withLock { $0 = body } }

  @inline(never)
  private func ring(_ nanoseconds: UInt64) { listener.withLock { $0 }?(nanoseconds) }

  /// The system's time, nanoseconds since 1970.
  public static func system() -> UInt64 { read(CLOCK_REALTIME) }

  /// A time that never steps, in nanoseconds, for measuring.
  public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

  // Out of line: the callers are on the hot path and most have their time already.
  @inline(never)
  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
