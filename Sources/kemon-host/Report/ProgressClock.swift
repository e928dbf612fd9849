// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// A progress line that is renewed ten times a second, for work that is done elsewhere.
final class ProgressClock {
  private let queue = DispatchQueue(label: "kemon.progress")
  private let timer: any DispatchSourceTimer
  private let progress: Shown

  // Unchecked: touched on the queue only.
  private final class Shown: @unchecked Sendable {
    var line: Progress

    init(_ line: Progress) { self.line = line }
  }

  /// Shows the line from now on until ``end()``.
  ///
  /// - Parameters:
  ///   - isAlone: whether nothing else writes to the terminal meanwhile.
  ///   - text: how far the work is; called on another thread.
  init(isAlone: Bool, _ text: @escaping @Sendable () -> String) {
    let progress = Shown(Progress(isAlone: isAlone))
    self.progress = progress
    timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + .milliseconds(200), repeating: .milliseconds(110))
    timer.setEventHandler { progress.line.show(text()) }
    timer.activate()
  }

  deinit { timer.cancel() }

  /// Clears the line; it does not come again.
  func end() {
    timer.cancel()
    queue.sync { progress.line.end() }
  }
}
