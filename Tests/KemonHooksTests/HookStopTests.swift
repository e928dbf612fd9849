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

  @Test func `a thread that blocks every signal calls on, and nothing is torn`() throws {
    let result = Mutex(stress_result())
    let run = try #require(StressRun(.plain, callers: 1, mayBeBusy: true))
    let report = run.run(seconds: 0.5, beside: 1) { _, shared in
      let own = stress_call_blocked(Int32(STRESS_PLAIN), shared)
      result.withLock { $0 = own }
    }
    #expect(report.failure == nil)
    #expect(report.wrong == 0)
    #expect(report.pre == report.post)
    let own = result.withLock { $0 }
    #expect(own.calls > 0)
    #expect(own.wrong == 0)
  }
}
