// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct WorkerPluginTests {
  private func isolated(_ names: String...) throws -> TestHost {
    let test = try TestHost()
    for name in names { try test.folder.copy(Fixtures.build(name), to: "\(name).so") }
    return test
  }

  @Test func `a voter decides from its start to its stop`() throws {
    let test = try isolated("voter")
    let report = test.load(isolate: .all)
    #expect(report.problems.isEmpty)
    #expect(report.loaded.first?.state == .created)
    #expect(report.loaded.first?.handlers.map(\.name) == ["deny-etc"])
    #expect(report.loaded.first?.worker?.pid ?? 0 > 0)
    #expect(!test.open("/etc/passwd").isDenied, "not started yet")

    #expect(test.host.start().isEmpty)
    let verdict = test.open("/etc/passwd")
    #expect(verdict.isDenied)
    #expect(verdict.error == 13)
    #expect(test.host.pluginName(verdict.decidedBy) == "voter")
    #expect(!test.open("/tmp/x").isDenied)

    test.host.stop()
    #expect(!test.open("/etc/passwd").isDenied)
    #expect(test.host.plugins.first?.state == .stopped)
    #expect(test.host.plugins.first?.worker?.pid == 0)
    test.host.stop()
    #expect(test.dispatcher.handlerStatistics().map(\.calls) == [1])
  }

  @Test func `an observer sees everything until the stop, with the names of who decided`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("observer"), to: "a-observer.so")
    try test.folder.copy(Fixtures.build("voter"), to: "b-voter.so")
    #expect(test.load(isolate: .all).loaded.map(\.name) == ["voter", "observer"], "after voter")
    #expect(test.host.start().isEmpty)
    for _ in 0..<100 { test.open("/tmp/x", by: "/bin/a") }
    test.open("/etc/passwd", by: "/bin/b")
    test.host.stop()
    let lines = test.collector.text.split(separator: "\n").map(String.init)
    #expect(lines.prefix(2) == ["create", "start"])
    #expect(lines.dropFirst(2).prefix(100).allSatisfy { $0 == "event /bin/a verdict 0 by /" })
    #expect(
      lines.suffix(3) == [
        "event /bin/b verdict 4 by voter/deny-etc", "stop after 101 events", "destroy",
      ])
    let account = try #require(test.host.observerAccounts.first)
    #expect(account.name == "observer")
    #expect(account.delivered == 101)
    #expect(account.lost == 0)
    #expect(account.isBalanced)
    #expect(test.host.observerStatistics.map(\.calls) == [101])
  }

  @Test func `a plugin that cannot be created says why`() throws {
    let test = try isolated("failing")
    let report = test.load(try JSONValue(parsing: #"{"failing": {"at": "create"}}"#), isolate: .all)
    #expect(report.loaded.isEmpty)
    let here = try isolated("failing")
    let expected = here.load(try JSONValue(parsing: #"{"failing": {"at": "create"}}"#))
    #expect(report.problems.map(\.rule) == expected.problems.map(\.rule))
  }
}
