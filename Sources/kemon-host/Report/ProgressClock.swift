// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Synchronization

/// A progress line that is renewed ten times a second, for work that is done elsewhere.
///
/// Where nobody sees it there is no thread either.
final class ProgressClock {
  private let thread: WorkerThread?
  private let flag = Flag()

  private final class Flag: Sendable {
    let isOver = Atomic<Bool>(false)
  }

  /// Shows the line from now on until ``end()``, which must be called.
  ///
  /// - Parameters:
  ///   - isAlone: whether nothing else writes to the terminal meanwhile.
  ///   - text: how far the work is; called on another thread.
  init(isAlone: Bool, _ text: @escaping @Sendable () -> String) {
    guard Progress(isAlone: isAlone).isOn else {
      thread = nil
      return
    }
    thread = WorkerThread(named: "progress") { [flag] in
      var progress = Progress(isAlone: isAlone)
      while !flag.isOver.load(ordering: .relaxed) {
        usleep(20_000)
        progress.show(text())
      }
      progress.end()
    }
  }

  /// Clears the line; it does not come again.
  func end() {
    flag.isOver.store(true, ordering: .relaxed)
    thread?.join()
  }
}
