// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// Configurations against the schema of a plugin's manifest.
@Suite struct ConfigurationSchemaTests {
  private static let manifest = """
    {"name": "schemed", "version": "1.0.0", "abi": 1, "config": {"additionalProperties": false, "properties": {
     "level": {"type": "integer", "minimum": 1, "default": 7}, "names": {"items": {"type": "string"}},
     "token": {"type": "string", "x-secret": true, "minLength": 3}}}}
    """

  private func host() throws -> TestHost {
    let test = try TestHost()
    let manifest = Self.manifest.split(separator: "\n").joined()
    try test.folder.copy(Fixtures.minimal(manifest), to: "schemed.so")
    return test
  }

  @Test func `what does not fit is told at once, with places, and nothing is created`() throws {
    let test = try host()
    let file = """
      {"plugins": {
        "schemed": {"level": 0,
          "names": ["a", 1], "lvl": 1}}}
      """
    let places = try ConfigurationPlaces(file: "config.json", bytes: Array(file.utf8))
    let configurations = try #require(JSONValue(parsing: file).value(at: "plugins"))
    let report = test.host.load(
      directories: [test.folder.path], configurations: configurations, places: places)
    #expect(report.loaded.isEmpty)
    #expect(report.problems.map(\.rule.id) == Array(repeating: "config.schema", count: 3))
    #expect(
      report.problems.map { "\($0.found) / \($0.needed)" } == [
        "config.json, line 2, column 15: level: 0 / 1 or more",
        "config.json, line 3, column 24: lvl: an unknown member / perhaps level",
        "config.json, line 3, column 20: names[1]: an integer / text",
      ])
    #expect(test.collector.logged.isEmpty, "create was not called")
  }

  @Test func `what was set elsewhere has no place in the file`() throws {
    let file = #"{"plugins": {"schemed": {"level": 3}}}"#
    let places = try ConfigurationPlaces(file: "config.json", bytes: Array(file.utf8))
    let value = JSONValue.object(["level": .integer(0)])
    #expect(places.place(of: "level", in: "schemed", of: value) == nil)
    #expect(places.place(of: "level", in: "other", of: value) == nil)
  }

  @Test func `defaults reach the plugin`() throws {
    let manifest = try PluginManifest(parsing: Array(Self.manifest.utf8))
    let checked = try CheckedConfiguration(.object([:]), manifest, nil)
    #expect(PluginConfiguration(checked).value.text == #"{"level": 7}"#)
    #expect(checked.given == .object([:]), "the next generation may have others")
  }

  @Test func `a secret that a plugin quotes is not repeated`() throws {
    let manifest = try PluginManifest(parsing: Array(Self.manifest.utf8))
    let value = JSONValue.object(["token": .string("hunter2")])
    let configuration = PluginConfiguration(try CheckedConfiguration(value, manifest, nil))
    #expect(configuration.withoutSecrets("bad token hunter2!") == "bad token ***!")
    let short = JSONValue.object(["token": .string("ab")])
    let failure = #expect(throws: ConfigurationFailure.self) {
      _ = try CheckedConfiguration(short, manifest, nil)
    }
    #expect(failure?.broken.map(\.found) == ["token: 2"])
  }

  @Test func `a running plugin keeps its configuration when the new one does not fit`() throws {
    let test = try host()
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    let wrong = try JSONValue(parsing: #"{"level": 0, "names": 1, "x": 2}"#)
    let problem = #expect(throws: PluginProblem.self) {
      try test.host.reload("schemed", configuration: wrong)
    }
    #expect(problem?.rule.id == "config.schema")
    #expect(problem?.message.contains("level: 0") == true)
    #expect(problem?.message.contains("x: an unknown member") == true, "all of it")
    #expect(test.host.plugins.map(\.generation) == [1])
    test.host.stop()
  }

  @Test(arguments: ["kext-guard", "policy-guard", "dns-watch", "path-guard", "event-log"])
  func `every shipped plugin has a schema with defaults that it keeps itself`(name: String) throws {
    let inspection = PluginScanner.inspect(Products.plugin(name))
    let schema = try #require(inspection.manifest?.configuration, "\(inspection.problems)")
    let filled = try schema.fillingDefaults(in: .object([:]))
    #expect(schema.problems(of: filled).isEmpty)
    #expect(!schema.problems(of: .object(["nonsense": .null])).isEmpty)
  }
}
