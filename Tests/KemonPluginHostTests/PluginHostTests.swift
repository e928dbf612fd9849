// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Testing

@testable import KemonPluginHost

@Suite struct PluginHostTests {
  private func configuration(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

  // MARK: Life

  @Test func `a voter decides from its start to its stop`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
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
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    let info = try #require(test.load().loaded.first)
    #expect(info.id == 1)
    #expect(info.name == "voter")
    #expect(info.version == "1.2.3")
    #expect(info.description == "Says no.")
    #expect(info.abi == "1.0")
    #expect(info.file == test.folder.path("voter.so"))
    #expect(info.sha256 == PluginScanner.inspect(info.file).sha256)
    #expect(
      info.handlers == [
        HandlerInfo(
          name: "deny-etc", pattern: "file.open", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
          filter: "path ^= '/etc/'", role: .voter, priority: 0)
      ])
    #expect(info.misbehaviour == 0)
  }

  @Test func `an observer sees everything until the stop, with the names of who decided`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("observer"), as: "a-observer.so")
    try test.folder.add(Fixtures.build("voter"), as: "b-voter.so")
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
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    #expect(test.load(try configuration(#"{"voter": {"shadow": true}}"#)).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    #expect(!test.open("/etc/passwd").isDenied)
    #expect(test.dispatcher.handlerStatistics().map(\.wouldDenies) == [1])
    test.host.stop()
  }

  @Test func `a handler that fails votes as it declared`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    _ = test.load(try configuration(#"{"voter": {"fault": true}}"#))
    #expect(test.host.start().isEmpty)
    let verdict = test.open("/etc/passwd")
    #expect(verdict.isDenied)
    #expect(verdict.error == 1)
    #expect(test.dispatcher.handlerStatistics().map(\.faults) == [1])
    test.host.stop()
  }

  @Test func `a plugin that cannot be created leaves no handler behind`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("failing"), as: "failing.so")
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
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
    let test = TestHost()
    try test.folder.add(Fixtures.build("failing"), as: "failing.so")
    let needing = #"{"name": "needing", "version": "1.0.0", "abi": 1, "needs": ["failing"]}"#
    try test.folder.add(Fixtures.minimal(needing), as: "needing.so")
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
    let test = TestHost()
    try test.folder.add(Fixtures.build("failing"), as: "failing.so")
    let needing = #"{"name": "needing", "version": "1.0.0", "abi": 1, "needs": ["failing"]}"#
    try test.folder.add(Fixtures.minimal(needing), as: "needing.so")
    let report = test.load(try configuration(#"{"failing": {"at": "create"}}"#))
    #expect(report.loaded.isEmpty)
    #expect(report.problems.map(\.rule.id) == ["create.failed", "plugin.needs"])
    #expect(report.problems.last?.found == "\"failing\" could not be created")
  }

  // MARK: Code

  @Test func `one file can be loaded twice, each time with memory of its own`() throws {
    let manifest = #"{"name": "counter", "version": "1.0.0", "abi": 1}"#
    let file = try Fixtures.minimal(manifest)
    for _ in 0..<3 {
      let test = TestHost()
      try test.folder.add(file, as: "counter.so")
      #expect(test.load().loaded.count == 1)
      #expect(test.collector.logged == ["info: counter: instance 1 of this copy"])
      test.host.stop()
    }
  }

  @Test func `no code of a plugin runs before every check of all plugins is done`() throws {
    let test = TestHost()
    let mark = test.folder.path("mark")
    let manifest = #"{"name": "constructed", "version": "1.0.0", "abi": 1}"#
    let file = try test.folder.add(
      Fixtures.minimal(manifest, ["-DMARK=\"\(mark)\""]), as: "constructed.so")
    #expect(PluginScanner.inspect(file).problems.isEmpty)
    #expect(test.load(disable: ["constructed"]).problems.isEmpty)
    #expect(access(mark, F_OK) != 0)
    #expect(test.load().loaded.count == 1)
    #expect(access(mark, F_OK) == 0)
  }

  @Test func `a stopped plugin makes room for its next generation`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    for generation in 1...3 as ClosedRange<UInt32> {
      let report = test.load(require: ["voter"])
      #expect(report.missingRequired.isEmpty)
      #expect(report.loaded.map(\.id) == [generation])
      #expect(test.host.start().isEmpty)
      #expect(test.open("/etc/passwd").decidedBy == generation)
      test.host.stop()
    }
    #expect(test.host.plugins.map(\.state) == [.stopped, .stopped, .stopped])
  }

  @Test func `changing a file after it was loaded changes nothing`() throws {
    let test = TestHost()
    let file = try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    #expect(test.load().loaded.count == 1)
    // A truncated mapping of the file itself would end the process at the next call.
    try test.folder.add([0], as: "voter.so")
    #expect(PluginScanner.inspect(file).problems.map(\.rule.id) == ["elf.magic"])
    #expect(test.host.start().isEmpty)
    #expect(test.open("/etc/passwd").isDenied)
    test.host.stop()
  }

  @Test(arguments: [
    (["-DWHY=\"needs a newer host\""], "load.refused", "\"needs a newer host\""),
    (["-DWHY=\"\\033[2Jgone\""], "load.refused", "\"\\u{1b}[2Jgone\""),
    (["-DTABLE_ABI=0x20000"], "load.table", "ABI 2.0"),
    (
      ["-DTABLE_SIZE=12"], "load.table",
      "kemon_plugin.size is 12, needed is at least 40, sizeof of the struct"
    ),
    (["-DWITHOUT_CREATE"], "load.table", "create is NULL"),
    (["-DUNDEFINED"], "load.link", "undefined symbol: nobody_has_this"),
  ])
  func `an entry that breaks the rules is refused`(
    flags: [String], rule: String, found: String
  ) throws {
    let test = TestHost()
    let manifest = #"{"name": "odd", "version": "1.0.0", "abi": 1}"#
    try test.folder.add(Fixtures.minimal(manifest, flags), as: "odd.so")
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == [rule])
    #expect(report.problems.first?.found == found)
    #expect(report.loaded.map(\.name) == ["voter"])
  }

  @Test func `host and plugin speak the lower of their minors`() throws {
    let test = TestHost()
    let manifest = #"{"name": "newer", "version": "1.0.0", "abi": 1}"#
    try test.folder.add(Fixtures.minimal(manifest, ["-DTABLE_ABI=0x10007"]), as: "newer.so")
    #expect(test.load().loaded.first?.abi == "1.0")
  }

  @Test(arguments: [(256, 256, [] as [String]), (257, 0, ["create.failed"])])
  func `a plugin has a bounded number of handlers`(
    asked: Int, handlers: Int, problems: [String]
  ) throws {
    let test = TestHost()
    let manifest = #"{"name": "many", "version": "1.0.0", "abi": 1}"#
    try test.folder.add(Fixtures.minimal(manifest, ["-DHANDLERS=\(asked)"]), as: "many.so")
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == problems)
    #expect((report.loaded.first?.handlers.count ?? 0) == handlers)
    #expect(test.host.start().isEmpty)
    test.open("/tmp/x")
    #expect(test.dispatcher.handlerStatistics().map(\.calls).reduce(0, +) == UInt64(handlers))
    test.host.stop()
  }

  // MARK: Choice

  @Test func `plugins are left out by name`() throws {
    let test = TestHost()
    for name in ["a", "b", "c"] {
      let manifest = #"{"name": "\#(name)", "version": "1.0.0", "abi": 1}"#
      try test.folder.add(Fixtures.minimal(manifest), as: "\(name).so")
    }
    let report = test.load(require: ["b"], disable: ["b"], only: ["a", "b"])
    #expect(report.loaded.map(\.name) == ["a"])
    #expect(report.missingRequired == ["b"])
    #expect(report.problems.isEmpty)
    let again = test.load(only: ["a", "c"])
    #expect(again.loaded.map(\.name) == ["c"])
    #expect(again.problems.map(\.rule.id) == ["plugin.duplicate"])
  }

  @Test func `misspelled names are noticed`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    let report = test.load(try configuration(#"{"voters": {}}"#), disable: ["votr"])
    #expect(report.problems.map(\.rule.id) == ["selection.unknown", "config.unknown"])
    #expect(report.problems.allSatisfy { $0.needed == "perhaps voter" })
    #expect(report.loaded.count == 1)
  }

  @Test func `a chosen plugin that is wrong is not called misspelled`() throws {
    let test = TestHost()
    let newer = #"{"name": "newer", "version": "1.0.0", "abi": 1}"#
    try test.folder.add(Fixtures.minimal(newer, ["-DWITHOUT_ENTRY"]), as: "newer.so")
    let report = test.load(only: ["newer"])
    #expect(report.problems.map(\.rule.id) == ["elf.entry"])
  }

  @Test func `a configuration must be an object`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
    let report = test.load(try configuration(#"{"voter": [1]}"#))
    #expect(report.problems.map(\.rule.id) == ["config.type"])
    #expect(report.loaded.isEmpty)
    #expect(test.load(.array([])).problems.map(\.rule.id) == ["config.type"])
  }

  @Test func `a plugin whose extension is missing is refused before its code runs`() throws {
    let test = TestHost()
    let manifest =
      #"{"name": "a", "version": "1.0.0", "abi": 1, "extensions": ["kemon.config/1", "kemon.defer/1"]}"#
    try test.folder.add(Fixtures.minimal(manifest), as: "a.so")
    let report = test.load()
    #expect(report.problems.map(\.found) == ["no kemon.defer/1 in this host"])
    #expect(test.collector.logged.isEmpty)
  }

  @Test func `plugins that wait for each other are named`() throws {
    let test = TestHost()
    for (name, other) in [("a", "b"), ("b", "a")] {
      let manifest = #"{"name": "\#(name)", "version": "1.0.0", "abi": 1, "needs": ["\#(other)"]}"#
      try test.folder.add(Fixtures.minimal(manifest), as: "\(name).so")
    }
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == ["plugin.cycle", "plugin.cycle"])
    #expect(report.problems.allSatisfy { $0.found == "a → b → a" })
  }

  // MARK: Under load

  @Test(.timeLimit(.minutes(1)))
  func `plugins come and go while events flow`() throws {
    let test = TestHost()
    try test.folder.add(Fixtures.build("voter"), as: "voter.so")
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
