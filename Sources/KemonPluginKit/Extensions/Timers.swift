// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.timer/1`: calls at times of the event clock, which is virtual during replay.
public struct Timers: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; their functions are marked [any].
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_timer>

  /// A timer that was armed; keep it as long as it is to fire.
  public final class Timer: @unchecked Sendable {
    // The id is set once, before anybody else sees the timer; the host is told by it.
    fileprivate let body: @Sendable (_ now: UInt64) -> Void
    fileprivate let timers: Timers
    fileprivate var id: UInt64 = 0

    fileprivate init(_ timers: Timers, _ body: @escaping @Sendable (UInt64) -> Void) {
      self.timers = timers
      self.body = body
    }

    deinit { if id != 0 { cancel() } }

    /// Ends it; returns after a running call has left, unless it is called from there.
    public func cancel() { _ = timers.table.pointee.cancel(timers.host, id) }
  }

  /// Calls a closure later.
  ///
  /// - Parameters:
  ///   - delay: nanoseconds until the first call.
  ///   - period: nanoseconds between calls, a million or more; 0 for one call.
  ///   - body: quick; gets the time that it was armed for. It must not hold the last reference to its timer.
  /// - Throws: when the plugin has too many timers.
  public func arm(
    after delay: UInt64, every period: UInt64 = 0, _ body: @escaping @Sendable (UInt64) -> Void
  ) throws(HostRefusal) -> Timer {
    let timer = Timer(self, body)
    // Not retained: the timer is cancelled before it goes.
    let status = table.pointee.arm(
      host, delay, period,
      { context, now in
        guard let context else { return }
        Unmanaged<Timer>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.body(now) }
      }, Unmanaged.passUnretained(timer).toOpaque(), &timer.id)
    try HostRefusal.check(status, "arm")
    return timer
  }
}
