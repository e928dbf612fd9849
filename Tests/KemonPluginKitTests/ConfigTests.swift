// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import KemonPluginKit
import Testing

@Suite struct ConfigTests {
  private let host = FakeHost(config: [
    "text": "t", "number": 5, "fraction": 1.5, "truth": true, "nothing": nil,
    "texts": ["a", "b"], "numbers": [1, 2], "mixed": ["a", 2], "empty": [],
    "object": ["a": 1, "b": 2],
  ])
  private var config: Config { Host(host.table).config }

  @Test func `values of the right type are read`() throws {
    #expect(try config.string("text") == "t")
    #expect(try config.integer("number") == 5)
    #expect(try config.boolean("truth") == true)
    #expect(try config.count("texts") == 2)
    #expect(try config.count("empty") == 0)
    #expect(try config.strings("texts") == ["a", "b"])
    #expect(try config.integers("numbers") == [1, 2])
    #expect(try config.integer("object.b") == 2)
    #expect(try config.string("texts[1]") == "b")
  }

  @Test func `absent values are nil`() throws {
    #expect(try config.string("no") == nil)
    #expect(try config.integer("no") == nil)
    #expect(try config.boolean("object.no") == nil)
    #expect(try config.count("no") == nil)
    #expect(try config.strings("texts[5]") == nil)
    #expect(try config.integers("no") == nil)
  }

  @Test func `values of another type are errors that name the path`() {
    func error(_ body: (Config) throws(ConfigError) -> Void) -> String? {
      do {
        try body(config)
        return nil
      } catch { return error.description }
    }
    #expect(
      error { (c) throws(ConfigError) in _ = try c.string("number") } == "number: must be a string")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.string("nothing") }
        == "nothing: must be a string")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.integer("fraction") }
        == "fraction: must be an integer")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.integer("text") } == "text: must be an integer")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.boolean("number") }
        == "number: must be true or false")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.count("text") } == "text: must be an array")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.count("object") } == "object: must be an array")
    #expect(
      error { (c) throws(ConfigError) in _ = try c.strings("mixed") }
        == "mixed[1]: must be a string")
  }

  @Test func `members that nobody knows are refused`() throws {
    try config.allowMembers(["a", "b", "c"], of: "object")
    try config.allowMembers(["a"], of: "absent")
    let error = #expect(throws: ConfigError.self) {
      try config.allowMembers(["a"], of: "object")
    }
    #expect(error?.description == "object: may only have the members a")
    let other = #expect(throws: ConfigError.self) {
      try config.allowMembers(["a"], of: "text")
    }
    #expect(other?.description == "text: must be an object")
  }

  @Test func `a host without the extension is named`() {
    let poor = FakeHost(extensions: [])
    let error = #expect(throws: ConfigError.self) {
      try Host(poor.table).config.string("x")
    }
    #expect(error?.description == "configuration: this host has no extension kemon.config/1")
    #expect(Host(poor.table).output == nil)
    #expect(Host(poor.table).names == nil)
  }

  @Test func `names behind ids are read in place`() {
    host.pluginNames = [3: "path-guard"]
    let names = Host(host.table).names
    #expect(names?.plugin(3).string == "path-guard")
    #expect(names?.handler(3).isEmpty == true)
  }
}
