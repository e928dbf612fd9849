// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Testing

@Suite struct PolicyGuardTests {
  private func answer(
    _ deny: ConfigValue, _ name: String, _ operations: [String] = [], isCut: Bool = false
  ) throws -> FakeHost.Answer {
    let host = FakeHost(config: ["deny": deny])
    let plugin = try PluginLibrary(product: "policy-guard").run(in: host)
    defer { plugin.stop() }
    let record = Samples.policy(
      KEMON_KIND_MAC_POLICY_REGISTER_PRE, name, name, conf: 1, ops: 2, flags: 0,
      functions: operations.map { ($0, 0x1000, "") })
    if isCut { record.header.pointee.flags = UInt16(KEMON_EV_TRUNCATED) }
    return try #require(host.vote(record).first)
  }

  @Test func `it registers one handler that fails closed`() throws {
    let host = FakeHost()
    let plugin = try PluginLibrary(product: "policy-guard").run(in: host)
    let handler = try #require(host.handlers.first)
    #expect(host.handlers.count == 1)
    #expect(handler.kind == "mac.policy_register")
    #expect(handler.phase == .pre)
    #expect(handler.onFault == KEMON_FAIL_DENY)
    plugin.stop()
  }

  @Test func `a listed policy is denied with EEXIST and the reason`() throws {
    let answer = try answer([["name": "procmon_m", "reason": "no"]], "procmon_m")
    #expect(answer.action == .deny && answer.error == 17 && answer.reason == "no")
  }

  @Test func `a name means itself and a star everything that begins so`() throws {
    for (rule, name, isDenied) in [
      ("a.b", "a.b", true), ("a.b", "a.bc", false), ("a.b", "a", false), ("a.*", "a.b", true),
      ("a.*", "ab", false), ("*", "", true),
    ] {
      let answer = try answer([["name": .string(rule)]], name)
      #expect((answer.action == .deny) == isDenied, "\(rule) \(name)")
    }
  }

  @Test func `an operation means policies that have a function for it`() throws {
    let rule: ConfigValue = [["operation": "mpo_file_check_mmap"]]
    #expect(
      try answer(rule, "p", ["mpo_cred_label_init", "mpo_file_check_mmap"]).action == .deny)
    #expect(try answer(rule, "p", ["mpo_file_check_mmap_downgrade"]).action == .abstain)
    #expect(try answer(rule, "p").action == .abstain)
    let both: ConfigValue = [["name": "q", "operation": "mpo_file_check_mmap"]]
    #expect(try answer(both, "p", ["mpo_file_check_mmap"]).action == .abstain)
    #expect(try answer(both, "q", ["mpo_file_check_mmap"]).action == .deny)
  }

  @Test func `of a cut event everything that could match is denied`() throws {
    #expect(try answer([["name": "procmon_m"]], "proc", isCut: true).action == .deny)
    #expect(try answer([["name": "procmon_m"]], "other", isCut: true).action == .abstain)
    #expect(try answer([["operation": "mpo_x"]], "p", isCut: true).action == .deny)
  }

  @Test func `a bad configuration is refused with its path`() throws {
    for (deny, message) in [
      ([[:]], "deny[0]: must have a name or an operation"),
      ([["name": 7]], "deny[0].name: must be a string"),
      ([["name": "a*b"]], #"deny[0].name: "a*b" may have a * at its end only"#),
      ([["operation": "x"]], #"deny[0].operation: "x" does not begin with mpo_"#),
      ([["nam": "x"]], "deny[0]: may only have the members name, operation, reason"),
      (["x"], "deny[0]: must be an object"), ("x", "deny: must be an array"),
    ] as [(ConfigValue, String)] {
      let error = try #require(throws: PluginLibrary.Failure.self) {
        try PluginLibrary(product: "policy-guard").run(in: FakeHost(config: ["deny": deny]))
      }
      #expect(error.description == message)
    }
  }
}
