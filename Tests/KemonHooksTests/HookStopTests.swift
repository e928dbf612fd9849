// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import KemonHooks
import Synchronization
import Testing

/// What the other threads notice of hooks that come and go.
@Suite(.serialized) struct HookStopTests {
  @Test func `threads that wait in system calls are not interrupted`() throws {
    let interrupted = Mutex<[UInt64]>([])
    let run = try #require(StressRun(.plain, callers: 1))
    let report = run.run(seconds: 0.5, beside: Int(STRESS_WAITS)) { kind, shared in
      let count = stress_wait(Int32(kind), shared)
      interrupted.withLock { $0.append(count) }
    }
    #expect(report.failure == nil)
    #expect(report.cycles > 0)
    #expect(interrupted.withLock { $0 } == [0, 0, 0, 0])
  }
}
