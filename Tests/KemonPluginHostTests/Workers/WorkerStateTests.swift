// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// What a worker leaves to the next one, and whose turn it is in it.
@Suite struct WorkerStateTests {
  private func start(
    _ name: String, _ flags: [String] = [], limits: WorkerLimits = WorkerLimits()
  ) throws -> TestHost {
    let test = try TestHost(limits: limits)
    try test.folder.copy(Fixtures.build(name, flags), to: "\(name).so")
    #expect(test.load(isolate: .all).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  /// Something writes files, which nobody votes on.
  private func write(_ count: Int, _ test: TestHost) {
    var builder = RecordBuilder()
    for _ in 0..<count {
      builder.begin(EventKind(KEMON_KIND_FILE_WRITE))
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/x")))
      test.dispatcher.dispatch(&builder)
    }
  }

  @Test func `what lies in the worker's ring is in the state that a reload hands over`() throws {
    let test = try start("tally")
    write(150, test)
    let plugin = try #require(test.host.state.withLock { $0.plugins.first })
    #expect(eventually { plugin.observer?.account.delivered == 150 }, "passed on, not yet seen")
    let report = try test.host.reload("tally", trialEvents: 0)
    #expect(report.stateBytes == 4)
    write(50, test)
    test.host.stop()
    #expect(test.collector.text.hasSuffix("seen 200\n"))
    #expect(try #require(test.host.observerAccounts.first).isBalanced)
  }

  @Test(arguments: ["KEMON_CONC_SERIAL", "KEMON_CONC_PER_SUBJECT"])
  func `a worker's handlers wait for their turn, observers too`(concurrency: String) throws {
    let test = try start("tally", ["-DCONCURRENCY=\(concurrency)"])
    let most = (0..<100).map { _ in test.open("/x").reasonCode }.max()
    #expect(most == 1)
    test.host.stop()
  }

  @Test func `a state that is too large is refused, and the worker goes on`() throws {
    var limits = WorkerLimits()
    limits.checkpoint = 10_000_000
    let test = try start("counter", ["-DSTATE_BYTES=9437184"], limits: limits)
    let pid = test.host.plugins[0].worker?.pid
    // The first one is saved, what comes then is too much.
    #expect(test.open("/x").reasonCode == 1)
    #expect(test.open("/x").reasonCode == 2)
    #expect(
      eventually { test.collector.logged.contains { $0.contains("does not save its state") } })
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("counter") }
    #expect(problem?.rule == .saveFailed)
    #expect(test.open("/x").reasonCode == 3)
    #expect(test.host.plugins[0].worker?.pid == pid)
    #expect(test.host.plugins[0].worker?.deaths == 0)
    test.host.stop()
  }
}
