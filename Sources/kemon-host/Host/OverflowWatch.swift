// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Synchronization

// Unchecked: the thread is joined before the object goes, the flag is atomic.
/// Ends a run when a subscriber with the policy `exit` has lost events.
final class OverflowWatch: @unchecked Sendable {
  private let isOver = Atomic<Bool>(false)
  private var thread: WorkerThread?

  /// Watches a ring until the object goes; does nothing under other policies.
  ///
  /// - Parameter body: called once, on a thread of its own.
  init(_ ring: EventRing, _ overflow: OverflowPolicy?, _ body: @escaping @Sendable () -> Void) {
    guard overflow == .exit else { return }
    thread = WorkerThread(named: "overflow-watch") { [unowned self] in
      while !isOver.load(ordering: .acquiring) {
        if ring.hasOverflowed { return body() }
        usleep(2000)
      }
    }
  }

  deinit {
    isOver.store(true, ordering: .releasing)
    thread?.join()
  }
}
