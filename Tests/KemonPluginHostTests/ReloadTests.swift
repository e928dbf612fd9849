// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct ReloadTests {
  /// A host in which the first generation runs.
  private func start(
    _ flags: [String] = [], _ configuration: String = "{}"
  ) throws -> TestHost {
    let test = try TestHost()
    try test.put(flags)
    let report = test.load(try JSONValue(parsing: #"{"generation": \#(configuration)}"#))
    #expect(report.problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  @Test func `a new generation knows what the old one has saved, and votes from then on`() throws {
    let test = try start()
    #expect(test.votes() == [1])
    let report = try test.host.reload("generation")
    #expect(report.plugin.generation == 2)
    #expect(report.previous.generation == 1)
    #expect(report.reusesCode)
    #expect(report.stateBytes == 32)
    #expect(report.plugin.id == 1, "votes name the plugin, whatever the generation")
    #expect(test.votes() == [2])
    test.host.stop()
    #expect(
      test.collector.lines == [
        "1.0.0 generation 1 saw 1 wrong 0", "1.0.0 generation 2 saw 2 wrong 0",
      ])
    #expect(test.host.observerAccounts.map(\.delivered) == [2])
    #expect(test.host.observerStatistics.map(\.calls) == [2], "counts go on")
    #expect(test.dispatcher.handlerStatistics().map(\.calls) == [2])
  }

  @Test func `a changed file is new code, an unchanged one is not mapped again`() throws {
    let test = try start()
    try test.put(["-DVERSION=\"1.0.1\""])
    let changed = try test.host.reload("generation")
    #expect(!changed.reusesCode)
    #expect(changed.plugin.version == "1.0.1")
    #expect(changed.plugin.sha256 != changed.previous.sha256)
    try test.put()
    let back = try test.host.reload("generation")
    #expect(back.reusesCode, "the code of generation 1 is still mapped")
    #expect(back.plugin.version == "1.0.0")
    #expect(test.votes() == [3])
    test.host.stop()
    #expect(test.collector.lines.last == "1.0.0 generation 3 saw 1 wrong 0")
  }

  @Test func `the old generation goes when the new one has stood its trial`() throws {
    let test = try start()
    // Each event is two calls: the voter's and the observer's.
    #expect(try test.host.reload("generation", trialEvents: 6).plugin.trial == 6)
    for _ in 0..<3 { test.votes() }
    test.await { $0.trial == nil }
    #expect(test.collector.lines == ["1.0.0 generation 1 saw 0 wrong 0"])
    #expect(test.votes() == [2])
    test.host.stop()
    #expect(test.collector.lines.count == 2)
  }

  @Test(arguments: ["-DFAULT_AT=3", "-DOBSERVER_FAULT_AT=3"])
  func `a fault in the trial brings the old generation back`(fault: String) throws {
    let test = try start()
    test.votes()
    try test.put(["-DVERSION=\"2.0.0\"", fault])
    try test.host.reload("generation")
    #expect(test.votes() == [2])
    #expect(test.votes() == [2])
    test.votes()
    test.await { $0.generation == 1 }
    #expect(test.votes() == [1])
    let info = try #require(test.host.plugins.first)
    #expect(info.version == "1.0.0")
    #expect(info.state == .running)
    #expect(info.trial == nil)
    #expect(
      test.collector.logged.contains(
        "error: host: plugin generation: a handler of generation 2 failed while it was on trial; "
          + "generation 1 is back"))
    test.host.stop()
    // Events 2 to 4 were the other's; the old one goes on behind them, and sees none twice. Whoever observes reads what a
    // voter has failed at later: the old one may have come back before.
    let asLate = ["2.0.0 generation 2 saw 4 wrong 0", "1.0.0 generation 1 saw 2 wrong 1"]
    let asSoon = ["2.0.0 generation 2 saw 3 wrong 0", "1.0.0 generation 1 saw 3 wrong 1"]
    let lines = test.collector.lines
    #expect(lines == asLate || (lines == asSoon && fault.hasPrefix("-DFAULT")), "\(lines)")
    #expect(test.host.observerAccounts.map(\.delivered) == [5])
  }

  @Test func `a generation that came back can be reloaded again`() throws {
    let test = try start()
    try test.put(["-DVERSION=\"2.0.0\"", "-DFAULT_AT=1"])
    try test.host.reload("generation")
    test.votes()
    test.await { $0.generation == 1 }
    try test.put(["-DVERSION=\"2.0.1\""])
    #expect(try test.host.reload("generation").plugin.generation == 2)
    #expect(test.votes() == [2])
    test.host.stop()
  }

  @Test(arguments: [
    ("-DFAIL_CREATE", "create.failed", "\"not today\""),
    ("-DFAIL_START", "start.failed", "\"cannot start\""),
    ("-DNAME=\"other\"", "reload.name", "\"other\""),
  ])
  func `what cannot be made leaves the old generation as it was`(
    flag: String, rule: String, found: String
  ) throws {
    let test = try start()
    test.votes()
    try test.put(["-DVERSION=\"2.0.0\"", flag])
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("generation") }
    #expect(problem?.rule.id == rule)
    #expect(problem?.found == found)
    #expect(test.votes() == [1])
    test.host.stop()
    #expect(test.collector.lines == ["1.0.0 generation 1 saw 2 wrong 0"])
    #expect(test.host.observerAccounts.map(\.isBalanced) == [true])
  }

  @Test func `a plugin that cannot save stays`() throws {
    let test = try start(["-DFAIL_SAVE"])
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("generation") }
    #expect(problem?.rule.id == "save.failed")
    #expect(test.votes() == [1])
    test.host.stop()
    #expect(test.collector.lines == ["1.0.0 generation 1 saw 1 wrong 0"])
  }

  @Test func `a damaged file is refused like a new one`() throws {
    let test = try start()
    try test.folder.write([0], to: "generation.so")
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("generation") }
    #expect(problem?.rule.id == "elf.magic")
    #expect(test.votes() == [1])
    test.host.stop()
  }

  @Test func `only what runs can be reloaded`() throws {
    let test = try start()
    var problem = #expect(throws: PluginProblem.self) { try test.host.reload("generatoin") }
    #expect(
      problem?.description
        == "plugin generatoin: no plugin of that name runs: found \"generatoin\", "
        + "needed is one of generation [running.none]")
    test.host.stop()
    problem = #expect(throws: PluginProblem.self) { try test.host.reload("generation") }
    #expect(problem?.found == "it is stopped")
  }

  @Test func `a host may go while a generation is on trial`() throws {
    var test: TestHost? = try TestHost()
    try test?.folder.copy(Fixtures.build("voter"), to: "voter.so")
    #expect(test?.load().problems.isEmpty == true)
    #expect(test?.host.start().isEmpty == true)
    try test?.host.reload("voter")
    #expect(test?.host.plugins.first?.trial != nil)
    test = nil
  }

  @Test func `handlers may come and go with a generation, and come back with the old one`() throws {
    let test = try start(["-DSECOND"])
    #expect(test.votes() == [1, 1])
    try test.put(["-DVERSION=\"2.0.0\"", "-DWITHOUT_OBSERVER"])
    try test.host.reload("generation", trialEvents: 0)
    #expect(test.votes() == [2])
    #expect(test.host.observerAccounts.isEmpty)
    try test.put(["-DVERSION=\"3.0.0\"", "-DSECOND", "-DFAULT_AT=3"])
    try test.host.reload("generation")
    #expect(test.votes() == [3, 3])
    test.votes()
    test.await { $0.generation == 2 }
    #expect(test.votes() == [2])
    try test.put(["-DVERSION=\"4.0.0\"", "-DWITHOUT_VOTER", "-DFAULT_AT=1"])
    try test.host.reload("generation", trialEvents: 0)
    #expect(test.votes() == [])
    test.host.stop()
    #expect(
      test.collector.lines == [
        "1.0.0 generation 1 saw 1 wrong 0", "3.0.0 generation 3 saw 3 wrong 1",
        "2.0.0 generation 2 saw 1 wrong 0", "4.0.0 generation 3 saw 2 wrong 1",
      ], "what happens while a generation does not observe is seen by none")
  }

  @Test func `a disabled plugin is not called, nor is its next generation`() throws {
    let test = try start()
    test.votes()
    try test.host.setEnabled(false, "generation")
    #expect(test.votes() == [])
    try test.host.reload("generation", trialEvents: 0)
    #expect(test.votes() == [])
    #expect(test.host.plugins.first?.isEnabled == false)
    try test.host.setEnabled(true, "generation")
    #expect(test.votes() == [2])
    test.host.stop()
    let account = try #require(test.host.observerAccounts.first)
    #expect(account.produced == 4)
    #expect(account.muted == 2)
    #expect(account.isBalanced)
  }

  @Test func `the mode passes to the next generation`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = test.load()
    #expect(test.host.start().isEmpty)
    #expect(test.open("/etc/passwd").isDenied)
    try test.host.setMode(.monitor, "voter")
    #expect(!test.open("/etc/passwd").isDenied)
    try test.host.reload("voter")
    #expect(!test.open("/etc/passwd").isDenied)
    #expect(test.host.plugins.first?.mode == .monitor)
    try test.host.setMode(.enforce, "voter")
    #expect(test.open("/etc/passwd").isDenied)
    test.host.stop()
    let counts = try #require(test.dispatcher.handlerStatistics().first)
    #expect(counts.denies == 2)
    #expect(counts.wouldDenies == 2)
  }

  @Test func `strikes are forgotten on demand, and by a reload`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = test.load(try JSONValue(parsing: #"{"voter": {"fault": true}}"#))
    #expect(test.host.start().isEmpty)
    func standing() -> HandlerStanding.Report? {
      test.dispatcher.handlerStatistics().first?.standing
    }
    for _ in 0..<10 { test.open("/etc/x") }
    #expect(standing()?.isQuarantined == true)
    try test.host.resetStrikes("voter")
    #expect(standing()?.isQuarantined == false)
    #expect(standing()?.strikes == 0)
    for _ in 0..<10 { test.open("/etc/x") }
    #expect(standing()?.isQuarantined == true)
    let good = JSONValue.object(["fault": .bool(false)])
    try test.host.reload("voter", configuration: good, trialEvents: 0)
    #expect(standing()?.isQuarantined == false)
    #expect(test.open("/etc/x").error == 13)
    test.host.stop()
  }

  @Test func `another configuration is taken as a whole or not at all`() throws {
    let test = try start([], #"{"code": 100}"#)
    #expect(test.votes() == [101])
    try test.host.reconfigure("generation", .object(["code": .integer(200)]))
    #expect(test.votes() == [201])
    let problem = #expect(throws: PluginProblem.self) {
      try test.host.reconfigure("generation", .object(["code": .string("x")]))
    }
    #expect(problem?.rule.id == "reconfigure.failed")
    #expect(problem?.found == "\"code: must be a number\"")
    #expect(test.votes() == [201])
    try test.host.reload("generation")
    #expect(test.votes() == [202], "the configuration in force is the next generation's, too")
    try test.host.reload("generation", configuration: .object([:]))
    #expect(test.votes() == [3])
    test.host.stop()
  }

  @Test
  func
    `a plugin without reconfigure is refused another configuration, and can be reloaded with it`()
    throws
  {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = test.load()
    #expect(test.host.start().isEmpty)
    let problem = #expect(throws: PluginProblem.self) {
      try test.host.reconfigure("voter", .object(["errno": .integer(1)]))
    }
    #expect(problem?.rule.id == "reconfigure.missing")
    try test.host.reload("voter", configuration: .object(["errno": .integer(1)]))
    #expect(test.open("/etc/passwd").error == 1)
    test.host.stop()
  }
}

extension TestHost {
  /// Puts the fixture `generation` in its place, built with these definitions.
  func put(_ flags: [String] = []) throws {
    let source = try Fixtures.build("generation", flags)
    let place = folder.file("generation.so")
    try? FileManager.default.removeItem(atPath: place)
    try folder.copy(source, to: "generation.so")
  }

  /// Something opens a file, and is seen by all observers; tells the reason codes of the votes.
  @discardableResult
  func votes() -> [UInt32] {
    open("/tmp/x")
    while host.observerAccounts.contains(where: { $0.pending > 0 }) { usleep(100) }
    return lastVotes
  }

  /// Waits until the host's own thread has brought its plugin so far.
  func await(_ isSo: (PluginInfo) -> Bool) {
    while let info = host.plugins.first, !isSo(info) { usleep(200) }
  }
}
