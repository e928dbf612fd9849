// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Testing

@Suite struct KextGuardTests {
  private func plugin(_ deny: ConfigValue, _ host: inout FakeHost?) throws -> RunningPlugin {
    let made = FakeHost(config: ["deny": deny])
    host = made
    return try PluginLibrary(product: "kext-guard").run(in: made)
  }

  private func answer(
    _ deny: ConfigValue, _ name: String, _ version: String = "1.0", isCut: Bool = false
  ) throws -> FakeHost.Answer {
    var host: FakeHost?
    let plugin = try plugin(deny, &host)
    defer { plugin.stop() }
    let record = Samples.kext(KEMON_KIND_KEXT_START_PRE, name, version: version)
    if isCut { record.header.pointee.flags = UInt16(KEMON_EV_TRUNCATED) }
    return try #require(host?.vote(record).first)
  }

  @Test func `it registers one handler that fails closed`() throws {
    var host: FakeHost?
    let plugin = try plugin([], &host)
    let handler = try #require(host?.handlers.first)
    #expect(host?.handlers.count == 1)
    #expect(handler.kind == "kext.start")
    #expect(handler.phase == .pre)
    #expect(handler.onFault == KEMON_FAIL_DENY)
    plugin.stop()
  }

  @Test func `a listed kext is denied with EPERM and the reason`() throws {
    let answer = try answer(
      [["id": "com.mandiant.monitor", "reason": "no"]], "com.mandiant.monitor")
    #expect(answer.status == KEMON_OK)
    #expect(answer.action == .deny)
    #expect(answer.error == 1)
    #expect(answer.reason == "no")
  }

  @Test func `an identifier means itself and a star everything that begins so`() throws {
    for (id, name, isDenied) in [
      ("com.a.b", "com.a.b", true), ("com.a.b", "com.a.bc", false), ("com.a.b", "com.a", false),
      ("com.a.*", "com.a.b", true), ("com.a.*", "com.a.", true), ("com.a.*", "com.ab", false),
      ("*", "anything", true), ("*", "", true),
    ] {
      let answer = try answer([["id": .string(id)]], name)
      #expect((answer.action == .deny) == isDenied, "\(id) \(name)")
    }
  }

  @Test func `versions are compared number by number and stages come before releases`() throws {
    for (rule, version, isDenied) in [
      (["below": "1.0.0"], "0.9.2", true), (["below": "1.0.0"], "1.0", false),
      (["below": "1.10"], "1.9", true), (["below": "1.9"], "1.10", false),
      (["below": "1.2"], "1.2b3", true), (["below": "1.2b3"], "1.2b2", true),
      (["below": "1.2b3"], "1.2b3", false), (["below": "1.2b3"], "1.2fc1", false),
      (["below": "1.2b3"], "1.2a9", true), (["below": "1.2b3"], "1.2d", true),
      (["version": "1.0"], "1.0.0", true), (["version": "1.0"], "1.0.1", false),
      (["version": "1.0rc1"], "1.0f1", true),
      (["from": "2.0"], "2.0", true), (["from": "2.0"], "1.9.9", false),
      (["from": "2.0", "below": "3"], "2.5", true), (["from": "2.0", "below": "3"], "3.0", false),
      (["below": "20170101123456789012345"], "20170101123456789012344", false),
      (["below": "2"], "1.2.3.4.5.6.7.8.9.10", true),
    ] as [([String: ConfigValue], String, Bool)] {
      let members = rule.merging(["id": "a"]) { $1 }
      let answer = try answer([.object(members)], "a", version)
      #expect((answer.action == .deny) == isDenied, "\(rule) \(version)")
    }
  }

  @Test(arguments: ["", "x", "1.", "1..2", "1.2q3", "1.2b3x", "-1", " 1"])
  func `a version that cannot be read falls under every rule`(version: String) throws {
    #expect(try answer([["id": "a", "below": "1"]], "a", version).action == .deny)
  }

  @Test func `of a cut event everything that could match does`() throws {
    #expect(try answer([["id": "com.a.b"]], "com.a", isCut: true).action == .deny)
    #expect(try answer([["id": "com.a.b"]], "com.b", isCut: true).action == .abstain)
    #expect(try answer([["id": "com.a.b"]], "com.a.bc", isCut: true).action == .abstain)
    #expect(try answer([["id": "a", "below": "1"]], "a", "2", isCut: true).action == .deny)
  }

  @Test func `the first rule that matches gives the reason`() throws {
    let rules: ConfigValue = [
      ["id": "a", "below": "1"], ["id": "a*", "reason": "second"], ["id": "a", "reason": "third"],
    ]
    #expect(try answer(rules, "a", "1.0").reason == "second")
  }

  @Test func `a reason that is too long is cut`() throws {
    let reason = String(repeating: "r", count: 300)
    let answer = try answer([["id": "a", "reason": .string(reason)]], "a")
    #expect(answer.reason == String(repeating: "r", count: 95))
  }

  @Test func `a payload that is too short is a fault`() throws {
    var host: FakeHost?
    let plugin = try plugin([["id": "a"]], &host)
    let record = Samples.kext(KEMON_KIND_KEXT_START_PRE, "a")
    record.header.pointee.payload_size = 16
    #expect(host?.vote(record).first?.status == KEMON_E_INVALID)
    plugin.stop()
  }

  @Test func `a bad configuration is named by its path`() throws {
    for (config, message) in [
      (["deny": "x"], "deny: must be an array"),
      (["deny": ["a": 1]], "deny: must be an array"),
      (["deny": [["id": "a"], "x"]], "deny[1]: must be an object"),
      (
        ["deny": [["id": "a"], ["id": "b"], [:]]],
        "deny[2].id: must be a bundle identifier, or the beginning of one followed by *"
      ),
      (["deny": [["id": 5]]], "deny[0].id: must be a string"),
      (["deny": [["id": nil]]], "deny[0].id: must be a string"),
      (["deny": [["id": "a*b"]]], #"deny[0].id: "a*b" may have a * at its end only"#),
      (
        ["deny": [["id": "a", "below": "new"]]],
        #"deny[0].below: "new" is not a version like 1.2 or 1.2b3"#
      ),
      (
        ["deny": [["id": "a", "belw": "1"]]],
        "deny[0]: may only have the members id, version, below, from, reason"
      ),
      (
        ["deny": [["id": "a", "version": "1", "from": "1"]]],
        "deny[0].version: excludes below and from"
      ),
      (
        ["deny": [["id": "a", "below": "1", "from": "1.0"]]],
        "deny[0].from: must be older than below"
      ),
      (["deny": [["id": "a", "reason": 1]]], "deny[0].reason: must be a string"),
      (["dney": []], "configuration: may only have the member deny"),
    ] as [(ConfigValue, String)] {
      let error = try #require(throws: PluginLibrary.Failure.self) {
        try PluginLibrary(product: "kext-guard").run(in: FakeHost(config: config))
      }
      #expect(error.description == message)
    }
  }

  @Test func `without configuration it has nothing to deny`() throws {
    let host = FakeHost()
    let plugin = try PluginLibrary(product: "kext-guard").run(in: host)
    #expect(host.vote(Samples.kext(KEMON_KIND_KEXT_START_PRE)).first?.action == .abstain)
    plugin.stop()
  }
}
