// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import KemonHooks
import KemonTestSupport
import Synchronization
import Testing

/// A thread that takes no signal can not be stopped.
@Suite struct BlockedSignalsTests {
  // In a process of its own: no hook of another test could be put in meanwhile.
  @Test func `a thread that blocks every signal calls on, and nothing is torn`() throws {
    if let alone = try Command.runAlone("BlockedSignalsTests") {
      #expect(alone.status == 0, "\(alone.text)")
      return
    }
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
