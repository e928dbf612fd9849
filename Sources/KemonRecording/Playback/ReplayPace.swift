// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus

/// How fast replayed events follow each other.
public enum ReplaySpeed: Sendable, Equatable {
  /// Without a pause.
  case maximum
  /// So many times as fast as they were recorded.
  case times(Double)
}

/// Maps the times of a recording onto now.
struct ReplayPace {
  /// Nanoseconds after which a pause looks whether it was stopped.
  private static let longestPause: UInt64 = 50_000_000

  private let factor: Double?
  private var start: (recorded: UInt64, now: UInt64)?

  init(_ speed: ReplaySpeed) {
    switch speed {
    case .maximum: factor = nil
    case .times(let factor): self.factor = factor > 0 ? factor : nil
    }
  }

  /// Waits until it is the turn of an event, or until it is stopped.
  mutating func wait(until recorded: UInt64, isStopped: () -> Bool) {
    while let rest = remaining(until: recorded), !isStopped() {
      var request = timespec(tv_sec: 0, tv_nsec: Int(min(rest, Self.longestPause)))
      nanosleep(&request, nil)
    }
  }

  private mutating func remaining(until recorded: UInt64) -> UInt64? {
    guard let factor else { return nil }
    let now = EventClock.monotonic()
    guard let start else {
      start = (recorded, now)
      return nil
    }
    // A recording need not be in order of time.
    guard recorded > start.recorded else { return nil }
    let due = Double(recorded - start.recorded) / factor
    let passed = Double(now - start.now)
    return due > passed ? UInt64(min(due - passed, 1e18)) : nil
  }
}
