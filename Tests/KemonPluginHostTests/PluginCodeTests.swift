// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct PluginCodeTests {
  @Test func `one file can be loaded twice, each time with memory of its own`() throws {
    let manifest = #"{"name": "counter", "version": "1.0.0", "abi": 1}"#
    let file = try Fixtures.minimal(manifest)
    for _ in 0..<3 {
      let test = try TestHost()
      try test.folder.copy(file, to: "counter.so")
      #expect(test.load().loaded.count == 1)
      #expect(test.collector.logged == ["info: counter: instance 1 of this copy"])
      test.host.stop()
    }
  }

  @Test func `no code of a plugin runs before every check of all plugins is done`() throws {
    let test = try TestHost()
    let mark = test.folder.file("mark")
    let manifest = #"{"name": "constructed", "version": "1.0.0", "abi": 1}"#
    let file = try test.folder.copy(
      Fixtures.minimal(manifest, ["-DMARK=\"\(mark)\""]), to: "constructed.so")
    #expect(PluginScanner.inspect(file).problems.isEmpty)
    #expect(test.load(disable: ["constructed"]).problems.isEmpty)
    #expect(access(mark, F_OK) != 0)
    #expect(test.load().loaded.count == 1)
    #expect(access(mark, F_OK) == 0)
  }

  @Test func `a stopped plugin makes room for its next generation`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
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
    let test = try TestHost()
    let file = try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    #expect(test.load().loaded.count == 1)
    // A truncated mapping of the file itself would end the process at the next call.
    try test.folder.write([0], to: "voter.so")
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
    let test = try TestHost()
    let manifest = #"{"name": "odd", "version": "1.0.0", "abi": 1}"#
    try test.folder.copy(Fixtures.minimal(manifest, flags), to: "odd.so")
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == [rule])
    #expect(report.problems.first?.found == found)
    #expect(report.loaded.map(\.name) == ["voter"])
  }

  @Test func `host and plugin speak the lower of their minors`() throws {
    let test = try TestHost()
    let manifest = #"{"name": "newer", "version": "1.0.0", "abi": 1}"#
    try test.folder.copy(Fixtures.minimal(manifest, ["-DTABLE_ABI=0x10007"]), to: "newer.so")
    #expect(test.load().loaded.first?.abi == "1.0")
  }

  @Test(arguments: [(256, 256, [] as [String]), (257, 0, ["create.failed"])])
  func `a plugin has a bounded number of handlers`(
    asked: Int, handlers: Int, problems: [String]
  ) throws {
    let test = try TestHost()
    let manifest = #"{"name": "many", "version": "1.0.0", "abi": 1}"#
    try test.folder.copy(Fixtures.minimal(manifest, ["-DHANDLERS=\(asked)"]), to: "many.so")
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == problems)
    #expect((report.loaded.first?.handlers.count ?? 0) == handlers)
    #expect(test.host.start().isEmpty)
    test.open("/tmp/x")
    #expect(test.dispatcher.handlerStatistics().map(\.calls).reduce(0, +) == UInt64(handlers))
    test.host.stop()
  }
}
