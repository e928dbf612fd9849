// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct PluginHostTests {
  private func configuration(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

  @Test func `a voter decides from its start to its stop`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let report = test.load(require: ["voter"])
    #expect(report.problems.isEmpty)
    #expect(report.missingRequired.isEmpty)
    #expect(report.loaded.first?.state == .created)
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
    test.host.stop()
    #expect(test.dispatcher.handlerStatistics().map(\.calls) == [1])
  }

  @Test func `a plugin is described with its handlers`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let info = try #require(test.load().loaded.first)
    #expect(info.id == 1)
    #expect(info.name == "voter")
    #expect(info.version == "1.2.3")
    #expect(info.description == "Says no.")
    #expect(info.abi == "1.0")
    #expect(info.file == test.folder.file("voter.so"))
    #expect(info.sha256 == PluginScanner.inspect(info.file).sha256)
    #expect(
      info.handlers == [
        HandlerInfo(
          name: "deny-etc", pattern: "file.open", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
          filter: "path ^= '/etc/'", role: .voter, priority: 0, signature: nil, lane: nil)
      ])
    #expect(info.misbehaviour == 0)
  }

  @Test func `an observer sees everything until the stop, with the names of who decided`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("observer"), to: "a-observer.so")
    try test.folder.copy(Fixtures.build("voter"), to: "b-voter.so")
    #expect(test.load().loaded.map(\.name) == ["voter", "observer"], "after voter")
    #expect(test.host.start().isEmpty)
    for _ in 0..<100 { test.open("/tmp/x", by: "/bin/a") }
    test.open("/etc/passwd", by: "/bin/b")
    test.host.stop()
    let lines = test.collector.lines
    #expect(lines.prefix(2) == ["create", "start"])
    #expect(lines[2..<102].allSatisfy { $0 == "event /bin/a verdict 0 by /" })
    #expect(
      lines.suffix(3) == [
        "event /bin/b verdict 4 by voter/deny-etc", "stop after 101 events", "destroy",
      ])
    #expect(test.collector.waiting.allSatisfy { $0 }, "observers and control calls may wait")
    let account = try #require(test.host.observerAccounts.first)
    #expect(account.name == "observer")
    #expect(account.delivered == 101)
    #expect(account.lost == 0)
    #expect(account.isBalanced)
    #expect(test.host.observerStatistics.map(\.calls) == [101])
  }

  @Test func `a shadow's vote is recorded and does not count`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    #expect(test.load(try configuration(#"{"voter": {"shadow": true}}"#)).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    #expect(!test.open("/etc/passwd").isDenied)
    #expect(test.dispatcher.handlerStatistics().map(\.wouldDenies) == [1])
    test.host.stop()
  }

  @Test func `a handler that fails votes as it declared`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = test.load(try configuration(#"{"voter": {"fault": true}}"#))
    #expect(test.host.start().isEmpty)
    let verdict = test.open("/etc/passwd")
    #expect(verdict.isDenied)
    #expect(verdict.error == 1)
    #expect(test.dispatcher.handlerStatistics().map(\.faults) == [1])
    test.host.stop()
  }

  @Test func `a plugin that cannot be created leaves no handler behind`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("failing"), to: "failing.so")
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let report = test.load(
      try configuration(#"{"failing": {"at": "create"}}"#), require: ["failing"])
    #expect(report.loaded.map(\.name) == ["voter"])
    #expect(report.missingRequired == ["failing"])
    let problem = try #require(report.problems.first)
    #expect(problem.rule.id == "create.failed")
    #expect(problem.plugin == "failing")
    #expect(problem.found == "\"line 3, column 7: the rules are missing\"")
    #expect(test.host.start().isEmpty)
    #expect(!test.open("/tmp/x").isDenied)
    #expect(test.open("/etc/x").isDenied)
    test.host.stop()
    #expect(test.collector.logged.isEmpty, "what was not created is not destroyed")
  }

  @Test func `a plugin that cannot be started is destroyed and leaves no handler behind`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("failing"), to: "failing.so")
    let needing = #"{"name": "needing", "version": "1.0.0", "abi": 1, "needs": ["failing"]}"#
    try test.folder.copy(Fixtures.minimal(needing), to: "needing.so")
    #expect(test.load(try configuration(#"{"failing": {"at": "start"}}"#)).loaded.count == 2)
    let problems = test.host.start()
    #expect(problems.map(\.rule.id) == ["start.failed", "plugin.needs"])
    #expect(problems.first?.found == "\"no room for the table\"")
    #expect(problems.last?.found == "\"failing\" is failed")
    #expect(!test.open("/tmp/x").isDenied)
    #expect(test.collector.logged.contains("warn: failing: destroyed"))
    #expect(test.host.plugins.first { $0.name == "failing" }?.state == .failed)
    #expect(test.host.plugins.first { $0.name == "failing" }?.handlers == [])
    test.host.stop()
  }

  @Test func `a plugin that needs one whose create failed is not created`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("failing"), to: "failing.so")
    let needing = #"{"name": "needing", "version": "1.0.0", "abi": 1, "needs": ["failing"]}"#
    try test.folder.copy(Fixtures.minimal(needing), to: "needing.so")
    let report = test.load(try configuration(#"{"failing": {"at": "create"}}"#))
    #expect(report.loaded.isEmpty)
    #expect(report.problems.map(\.rule.id) == ["create.failed", "plugin.needs"])
    #expect(report.problems.last?.found == "\"failing\" could not be created")
  }

  @Test(.timeLimit(.minutes(1)))
  func `plugins come and go while events flow`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let dispatcher = test.dispatcher
    let stop = Flag()
    let threads = (0..<2).map { index in
      WorkerThread(named: "events \(index)") {
        var builder = RecordBuilder()
        while !stop.isSet {
          builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
          builder.setPayload(
            kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/etc/passwd")))
          dispatcher.dispatch(&builder)
        }
      }
    }
    var denied = 0
    for _ in 0..<20 {
      let host = PluginHost(
        dispatcher: test.dispatcher, ring: test.ring, clock: test.clock, mode: .run,
        output: test.collector, log: test.collector)
      #expect(host.load(directories: [test.folder.path]).loaded.count == 1)
      #expect(host.start().isEmpty)
      if test.open("/etc/passwd").isDenied { denied += 1 }
      host.stop()
      #expect(!test.open("/etc/passwd").isDenied)
    }
    stop.set()
    for thread in threads { thread.join() }
    #expect(denied == 20)
  }
}
