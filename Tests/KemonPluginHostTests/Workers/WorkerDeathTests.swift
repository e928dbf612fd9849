// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// A worker's process ends, or hangs: what becomes of the verdict, and of the plugin.
@Suite struct WorkerDeathTests {
  private static func limits() -> WorkerLimits {
    var limits = WorkerLimits()
    limits.budget = 60_000_000
    limits.grace = 100_000_000
    limits.checkpoint = 30_000_000
    // Restarts that are not held up, unless a test wants it.
    limits.strikes.limit = 100
    return limits
  }

  private func start(
    _ limits: WorkerLimits = limits(), _ flags: [String] = []
  ) throws -> TestHost {
    let test = try TestHost(limits: limits)
    try test.folder.copy(Fixtures.build("counter", flags), to: "counter.so")
    #expect(test.load(isolate: .all).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  private func report(_ test: TestHost) -> WorkerReport {
    test.host.plugins[0].worker ?? WorkerReport()
  }

  /// Whether the worker of the only plugin is as a closure says.
  private func worker(_ test: TestHost, _ isSo: (WorkerPlugin.State) -> Bool) -> Bool {
    test.host.state.withLock { $0.plugins[0].worker }?.state.withLock { isSo($0) } ?? false
  }

  @Test func `a death is a fault of the handler, and a new process has its state`() throws {
    let test = try start()
    for number in 1...5 { #expect(test.open("/tmp/x").reasonCode == UInt32(number)) }
    let first = report(test).pid
    #expect(eventually { worker(test) { $0.saved == [5, 0, 0, 0] } }, "asked for now and then")
    #expect(test.open("/die").isDenied, "its on_fault")
    #expect(eventually { report(test).deaths == 1 && report(test).pid > 0 })
    #expect(report(test).pid != first)
    #expect(report(test).lastDeath.contains("signal 6"))
    #expect(report(test).lastDeath.contains("in handler \"number\" at file.open (pre)"))
    #expect(test.open("/tmp/x").reasonCode == 6, "it knows what the last one knew")
    #expect(test.collector.logged.contains { $0.contains("plugin counter: its worker \(first)") })
    let statistics = try #require(test.dispatcher.handlerStatistics().first)
    #expect(statistics.faults == 1)
    #expect(statistics.standing?.strikes == 1)
    test.host.stop()
  }

  @Test func `who hangs is answered for in time, and ended`() throws {
    let test = try start()
    let first = report(test).pid
    let begin = EventClock.monotonic()
    let verdict = test.open("/hang")
    let waited = EventClock.monotonic() - begin
    #expect(!verdict.isDenied, "on_timeout is to abstain")
    #expect(waited >= 60_000_000)
    #expect(eventually { report(test).deaths == 1 && report(test).pid > 0 })
    #expect(report(test).pid != first)
    #expect(report(test).lastDeath.contains("did not answer"))
    #expect(report(test).lastDeath.contains("in handler \"number\""))
    #expect(test.open("/tmp/x").action == .allow)
    #expect(try #require(test.dispatcher.handlerStatistics().first).timeouts == 1)
    test.host.stop()
  }

  @Test func `who is late is not ended, and its answer is nobody's`() throws {
    var limits = Self.limits()
    limits.grace = 10_000_000_000
    let test = try start(limits)
    let first = report(test).pid
    #expect(test.open("/late").action == .abstain)
    // Behind it: no turn, or its own answer.
    #expect(eventually { test.open("/tmp/x").action == .allow })
    #expect(test.open("/tmp/x").reasonCode >= 2, "the late one was counted by the plugin")
    #expect(report(test).deaths == 0 && report(test).pid == first)
    test.host.stop()
  }

  @Test func `one that ends too often is left alone for a while`() throws {
    var limits = Self.limits()
    limits.strikes.limit = 3
    limits.strikes.firstPause = 300_000_000
    let test = try start(limits)
    for death in 1...3 {
      #expect(eventually { report(test).pid > 0 })
      test.open("/die")
      #expect(eventually { report(test).deaths == death })
    }
    #expect(eventually { report(test).isQuarantined })
    #expect(report(test).pid == 0)
    test.open("/tmp/x")
    #expect(eventually { report(test).pid > 0 }, "and then comes back")
    #expect(report(test).quarantines == 1 && !report(test).isQuarantined)
    #expect(test.collector.logged.contains { $0.contains("left alone for 300 ms") })
    test.host.stop()
  }

  @Test func `it can be stopped while it has no process`() throws {
    var limits = Self.limits()
    limits.firstDelay = 60_000_000_000
    let test = try start(limits)
    test.open("/die")
    #expect(eventually { report(test).deaths == 1 })
    #expect(test.open("/tmp/x").isDenied, "on_fault, at once")
    test.host.stop()
    #expect(test.host.plugins[0].state == .stopped)
  }

  @Test func `one that keeps its pipes open beyond its end is buried all the same`() throws {
    var limits = Self.limits()
    // Whoever talks to it would take out of the socket what it has sent.
    limits.checkpoint = 3_600_000_000_000
    let test = try start(limits)
    #expect(test.open("/hoard").isDenied, "its on_fault")
    #expect(eventually { report(test).deaths == 1 && report(test).pid > 0 })
    #expect(report(test).lastDeath.contains("signal 6"))
    #expect(test.open("/tmp/x").action == .allow)
    test.host.stop()
  }

  @Test func `it can be stopped while the next process does not get ready`() throws {
    var limits = Self.limits()
    limits.startTime = 3_600_000_000_000
    let test = try start(limits, ["-DRETURNS"])
    test.open("/tmp/x")
    #expect(eventually { worker(test) { !$0.saved.isEmpty } })
    test.open("/die")
    #expect(eventually { worker(test) { $0.successor != nil } })
    test.host.stop()
    #expect(test.host.plugins[0].state == .stopped)
  }

  @Test func `an event without time is not shown to it`() throws {
    let test = try start()
    #expect(test.open("/tmp/x").reasonCode == 1)
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/hang")))
    builder.header.pointee.deadline_ns = 1
    test.dispatcher.dispatch(&builder)
    #expect(test.open("/tmp/x").reasonCode == 2)
    #expect(try #require(test.dispatcher.handlerStatistics().first).standing?.strikes == 0)
    #expect(report(test).deaths == 0)
    test.host.stop()
  }

  @Test func `threads that ask at the moment of its death are all answered`() throws {
    let test = try start()
    let denied = Flag()
    let dispatcher = test.dispatcher
    let threads = (0..<4).map { number in
      WorkerThread(named: "asker") {
        var builder = RecordBuilder()
        for turn in 0..<300 {
          builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
          let path = number == 0 && turn % 100 == 50 ? "/die" : "/tmp/x"
          builder.setPayload(
            kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
          if dispatcher.dispatch(&builder).isDenied { denied.set() }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(denied.isSet)
    #expect(eventually { report(test).deaths >= 1 && report(test).pid > 0 })
    let statistics = try #require(test.dispatcher.handlerStatistics().first)
    #expect(statistics.calls == 1200)
    test.host.stop()
  }

  @Test func `its process has ended when the host has stopped`() throws {
    let test = try start()
    let pid = report(test).pid
    test.host.stop()
    #expect(kill(pid, 0) != 0 && errno == ESRCH)
  }
}
