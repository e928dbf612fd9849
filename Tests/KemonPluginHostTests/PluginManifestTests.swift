// SPDX-License-Identifier: Apache-2.0

import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct PluginManifestTests {
  private func failures(_ text: String) -> [String] {
    do throws(ManifestError) {
      _ = try PluginManifest(parsing: Array(text.utf8))
      return []
    } catch {
      return error.broken.map { "\($0.rule.id): \($0.found)" }
    }
  }

  @Test func `every member is read`() throws {
    let manifest = try PluginManifest(
      parsing: Array(
        """
        {"name": "my-guard2", "version": "10.0.3", "abi": 1, "description": "Guards.", "license": "MIT",
         "needs": ["a", "b"], "after": ["c"], "extensions": ["kemon.output/1"],
         "capabilities": ["modify:file.create.mode", "fs.data"], "isolation": "worker",
         "state": 3, "emits": ["my-guard2.alert"], "config": {"type": "object"}}
        """.utf8))
    let schema = try JSONSchema(.object(["type": .string("object")]))
    #expect(
      manifest
        == PluginManifest(
          name: "my-guard2", version: "10.0.3", abi: 1, description: "Guards.", license: "MIT",
          needs: ["a", "b"], after: ["c"], extensions: ["kemon.output/1"],
          isolation: .worker,
          capabilities: ["fs.data", "modify:file.create.mode", "observe", "vote"],
          stateVersion: 3, emits: ["my-guard2.alert"],
          configuration: schema))
  }

  @Test func `what is not said has its usual meaning`() throws {
    let manifest = try PluginManifest(
      parsing: Array(#"{"name": "a", "version": "1.0.0", "abi": 1}"#.utf8))
    #expect(manifest.capabilities == ["observe", "vote"])
    #expect(manifest.isolation == .any)
    #expect(manifest.stateVersion == 0)
    #expect(manifest.emits == [])
    #expect(manifest.configuration == nil)
  }

  @Test(arguments: [
    (#""capabilities": ["votes"]"#, #"manifest.list: capabilities: "votes""#),
    (#""capabilities": ["modify:file"]"#, #"manifest.list: capabilities: "modify:file""#),
    (#""capabilities": "vote""#, #"manifest.list: capabilities: "vote""#),
    (#""isolation": "process""#, #"manifest.isolation: "process""#),
    (#""state": 0"#, "manifest.state: 0"), (#""state": "1""#, #"manifest.state: "1""#),
    (#""emits": ["alert"]"#, #"manifest.list: emits: "alert""#),
    (#""config": {"typ": "object"}"#, "manifest.config: config.typ: an unknown keyword"),
    (#""config": {"type": "array"}"#, "manifest.config: a schema that no object keeps"),
    (#""config": 1"#, "manifest.config: config: an integer"),
  ])
  func `what a manifest says beyond is checked, too`(member: String, failure: String) {
    #expect(
      failures(#"{"name": "a", "version": "1.0.0", "abi": 1, \#(member)}"#) == [failure])
  }

  @Test func `a misspelled member is told what it may be`() {
    let error = #expect(throws: ManifestError.self) {
      _ = try PluginManifest(
        parsing: Array(#"{"name": "a", "version": "1.0.0", "abi": 1, "capabilites": []}"#.utf8))
    }
    #expect(error?.broken.map(\.needed) == ["perhaps capabilities"])
  }

  @Test func `all that is wrong is reported at once`() {
    let text = """
      {"name": "Bad Name", "version": "1.0", "abi": "one", "description": 5, "need": [], "needs": "x",
       "extensions": ["nonsense", "kemon.config/1", "kemon.config/1"]}
      """
    #expect(
      failures(text) == [
        #"manifest.name: "Bad Name""#, #"manifest.version: "1.0""#, #"manifest.abi: ABI "one""#,
        "manifest.text: description: 5", #"manifest.list: needs: "x""#,
        #"manifest.list: extensions: "nonsense""#, #"manifest.list: extensions: "kemon.config/1""#,
        #"manifest.member: "need""#,
      ])
  }

  @Test func `what is required is missed`() {
    #expect(
      failures("{}") == [
        "manifest.name: nothing", "manifest.version: nothing", "manifest.abi: no abi",
      ])
    #expect(failures("[]") == ["manifest.json: an array"])
  }

  @Test func `a plugin does not need itself`() {
    let text = #"{"name": "a", "version": "1.0.0", "abi": 1, "needs": ["a"]}"#
    #expect(failures(text) == [#"manifest.list: needs: "a""#])
  }

  @Test(arguments: [
    "", "-a", "a-", "1a", "A", "a_b", "a b", "ä", String(repeating: "a", count: 65),
  ])
  func `a name that breaks the rules is none`(name: String) {
    #expect(!PluginManifest.isName(name))
  }

  @Test(arguments: ["a", "a1", "my-guard", String(repeating: "a", count: 64)])
  func `a name that keeps the rules is one`(name: String) {
    #expect(PluginManifest.isName(name))
  }

  @Test(arguments: ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.x", "1..0", "-1.0.0", "1.0.0-beta"])
  func `a version that breaks the rules is none`(version: String) {
    #expect(!PluginManifest.isVersion(version))
  }

  @Test(arguments: ["kemon.output/1", "my_words.x2/10"])
  func `an extension's id has words and a number`(id: String) {
    #expect(PluginManifest.isExtension(id))
    #expect(!PluginManifest.isExtension(id + "x"))
    #expect(!PluginManifest.isExtension("." + id))
    #expect(!PluginManifest.isExtension(id + "/1"))
  }

  @Test func `texts for people hold no control characters`() {
    let text = #"{"name": "a", "version": "1.0.0", "abi": 1, "description": "x\u001b[2J"}"#
    #expect(failures(text) == [#"manifest.text: description: "x\u001b[2J""#])
  }
}
