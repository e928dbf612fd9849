// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus

/// One line on standard error that says how far long work is; only on a terminal.
struct Progress {
  private static let interval: UInt64 = 100_000_000
  /// Whether anybody sees it.
  let isOn: Bool
  private var shownAt: UInt64 = 0

  /// - Parameter isAlone: whether nothing else writes to the terminal meanwhile, even if standard output is one.
  init(isAlone: Bool = true) {
    isOn = isatty(2) == 1 && (isAlone || isatty(1) == 0)
  }

  /// Replaces the line, at most ten times a second.
  mutating func show(_ text: @autoclosure () -> String) {
    guard isOn else { return }
    let now = EventClock.monotonic()
    guard now - shownAt > Self.interval else { return }
    shownAt = now
    Console.write("\r\u{1B}[K\(text())", to: 2)
  }

  /// Clears the line.
  mutating func end() {
    guard isOn, shownAt != 0 else { return }
    Console.write("\r\u{1B}[K", to: 2)
    shownAt = 0
  }
}
