// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct DeferExtensionTests {
  private func host() throws -> TestHost {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("deferring", ["-D_GNU_SOURCE", "-pthread"]), to: "x.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  @Test(.timeLimit(.minutes(1)))
  func `a vote comes from another thread, once`() throws {
    let test = try host()
    #expect(test.open("/allow").action == .allow)
    let denied = test.open("/deny")
    #expect(denied.isDenied)
    #expect(denied.error == 13)
    #expect(test.open("/twice").action == .allow)
    test.host.stop()
    let lines = test.collector.lines
    #expect(lines.count { $0 == "resolved 0" } == 3)
    #expect(lines.contains("again \(KEMON_E_EXPIRED)"))
    #expect(!lines.contains { $0.hasPrefix("cancelled") })
    #expect(test.collector.logged.isEmpty, "everything was released")
  }

  @Test(.timeLimit(.minutes(1)))
  func `a vote that does not come is the declared one`() throws {
    let test = try host()
    let verdict = test.open("/late")
    #expect(verdict.isDenied)
    #expect(verdict.error == 1)
    #expect(test.collector.lines == ["cancelled \(KEMON_CANCEL_TIMEOUT)"])
    #expect(test.dispatcher.handlerStatistics().first?.timeouts == 1)
    test.host.stop()
  }

  @Test func `what is not allowed is refused`() throws {
    let test = try host()
    #expect(test.open("/no-ticket").action == .abstain)
    #expect(test.dispatcher.handlerStatistics().first?.faults == 1)
    #expect(test.open("/bad").action == .abstain)
    #expect(
      test.collector.lines == ["no time -1", "too long -1", "no ticket -1"])
    #expect(test.host.plugins.first?.misbehaviour == 4)
    #expect(test.open("/not-deferred").action == .abstain)
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_CLOSE))
    test.dispatcher.dispatch(&builder)
    #expect(test.collector.lines.last == "in post \(KEMON_E_UNSUPPORTED)")
    test.host.stop()
    #expect(test.collector.lines.contains("cancelled \(KEMON_CANCEL_TIMEOUT)"))
  }

  @Test func `a ticket leaves time for an answer before the event's deadline`() {
    #expect(DeferExtension.allowed(100, deadline: 0, now: 5) == 100)
    #expect(DeferExtension.allowed(100, deadline: 1005, now: 5) == 100)
    #expect(DeferExtension.allowed(100, deadline: 55, now: 5) == 40)
    #expect(DeferExtension.allowed(100, deadline: 5, now: 50) == 0)
  }

  @Test func `a plugin holds only so many bytes of events`() throws {
    let events = RetainedEvents()
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    let record = builder.seal()
    var held: [UnsafePointer<kemon_event>] = []
    while let event = events.retain(record) { held.append(event) }
    #expect(held.count == RetainedEvents.byteLimit / record.size)
    let first = try #require(held.first)
    #expect(RecordView(trusted: first).bytes.elementsEqual(record.bytes))
    #expect(events.release(first))
    #expect(!events.release(first))
    #expect(events.retain(record) != nil)
    #expect(events.releaseAll() == held.count)
  }
}
