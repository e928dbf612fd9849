// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct LoadPlanTests {
  @Test func `looking at folders tells what is wrong with plugins among each other`() throws {
    let test = try TestHost()
    let manifests = [
      "a": #"{"name": "twin", "version": "1.0.0", "abi": 1}"#,
      "b": #"{"name": "twin", "version": "1.0.0", "abi": 1}"#,
      "c": #"{"name": "needy", "version": "1.0.0", "abi": 1, "needs": ["nobody"]}"#,
      "d": #"{"name": "d", "version": "1.0.0", "abi": 1, "needs": ["e"]}"#,
      "e": #"{"name": "e", "version": "1.0.0", "abi": 1, "after": ["d"]}"#,
    ]
    for (name, manifest) in manifests {
      try test.folder.copy(Fixtures.minimal(manifest), to: "\(name).so")
    }
    let rules = PluginScanner.inspect(directories: [test.folder.path])
      .map { $0.problems.map(\.rule.id).joined() }
    #expect(rules == ["", "plugin.duplicate", "plugin.needs", "plugin.cycle", "plugin.cycle"])
  }

  private func configuration(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

  @Test func `plugins are left out by name`() throws {
    let test = try TestHost()
    for name in ["a", "b", "c"] {
      let manifest = #"{"name": "\#(name)", "version": "1.0.0", "abi": 1}"#
      try test.folder.copy(Fixtures.minimal(manifest), to: "\(name).so")
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
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let report = test.load(try configuration(#"{"voters": {}}"#), disable: ["votr"])
    #expect(report.problems.map(\.rule.id) == ["selection.unknown", "config.unknown"])
    #expect(report.problems.allSatisfy { $0.needed == "perhaps voter" })
    #expect(report.loaded.count == 1)
  }

  @Test func `a chosen plugin that is wrong is not called misspelled`() throws {
    let test = try TestHost()
    let newer = #"{"name": "newer", "version": "1.0.0", "abi": 1}"#
    try test.folder.copy(Fixtures.minimal(newer, ["-DWITHOUT_ENTRY"]), to: "newer.so")
    let report = test.load(only: ["newer"])
    #expect(report.problems.map(\.rule.id) == ["elf.entry"])
  }

  @Test func `a configuration must be an object`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    let report = test.load(try configuration(#"{"voter": [1]}"#))
    #expect(report.problems.map(\.rule.id) == ["config.type"])
    #expect(report.loaded.isEmpty)
    #expect(test.load(.array([])).problems.map(\.rule.id) == ["config.type"])
  }

  @Test func `a plugin whose extension is missing is refused before its code runs`() throws {
    let test = try TestHost()
    let manifest =
      #"{"name": "a", "version": "1.0.0", "abi": 1, "extensions": ["kemon.config/1", "kemon.future/1"]}"#
    try test.folder.copy(Fixtures.minimal(manifest), to: "a.so")
    let report = test.load()
    #expect(report.problems.map(\.found) == ["no kemon.future/1 in this host"])
    #expect(test.collector.logged.isEmpty)
  }

  @Test func `plugins that wait for each other are named`() throws {
    let test = try TestHost()
    for (name, other) in [("a", "b"), ("b", "a")] {
      let manifest = #"{"name": "\#(name)", "version": "1.0.0", "abi": 1, "needs": ["\#(other)"]}"#
      try test.folder.copy(Fixtures.minimal(manifest), to: "\(name).so")
    }
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == ["plugin.cycle", "plugin.cycle"])
    #expect(report.problems.allSatisfy { $0.found == "a → b → a" })
  }
}
