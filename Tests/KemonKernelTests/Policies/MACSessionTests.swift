// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

@testable import KemonKernel

extension OneKernel {
  /// The slides about policies, played as sessions and written by event-log.
  @Suite struct MACSessionTests {
    private let blocked = [
      "procmon_m", "dylibmon_m", "ttymon_grant_m", "ttymon_close_m", "monitor_kextmon_m",
    ]

    /// Plays a session with a plugin that blocks policies, and returns what event-log writes of it.
    private func play(
      _ session: Session, blocking names: [String] = [], dialect: String = "2018"
    ) throws -> (result: SessionResult, text: String) {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let plugin = MACPlugin { record, verdict in
        let name = record.view(of: kemon_mac_policy.self)?.name.string ?? ""
        if names.contains(name) { _ = kemon_deny(verdict, 0, "blocked by the test") }
      }
      dispatcher.add([plugin.handler([KEMON_KIND_MAC_POLICY_REGISTER_PRE])])
      let model = try KernelModel(release: session.release, dispatcher: dispatcher)
      let result = try model.run(session)
      try model.close()
      let host = FakeHost(config: ["dialect": .string(dialect)])
      let eventLog = try PluginLibrary(product: "event-log").run(in: host)
      while subscription.drain({ record in
        host.call(record.event)
        return true
      }) > 0 {}
      eventLog.stop()
      return (result, host.takeOutput())
    }

    @Test(arguments: ["2018", "2019"])
    func `MAC list: the slide's listing, byte for byte`(dialect: String) throws {
      let (result, text) = try play(try #require(Session.shipped("mac-listing")), dialect: dialect)
      #expect(text == (try Checkout.golden("dialect-\(dialect)-mac-listing.txt")))
      #expect(result.steps.last?.outcome.text == "2 policies")
    }

    @Test(arguments: ["2018", "2019"])
    func `MAC block: the slide's transcript, byte for byte`(dialect: String) throws {
      let (result, text) = try play(
        try #require(Session.shipped("mac-blocking")), blocking: blocked, dialect: dialect)
      #expect(text == (try Checkout.golden("dialect-\(dialect)-mac-blocking.txt")))
      #expect(result.steps.suffix(5).map(\.outcome.failure) == Array(repeating: "EEXIST", count: 5))
    }

    @Test func `without the plugin the five policies are there`() throws {
      let (result, text) = try play(try #require(Session.shipped("mac-blocking")))
      #expect(result.steps.allSatisfy { $0.outcome.failure == nil })
      #expect(text.contains("Security policy loaded: procmon_m (procmon_m)\n"))
    }

    private func session(_ steps: String, policies: String = "") throws -> Session {
      let json = """
        {"name": "test", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "policies": [\(policies)], "steps": [\(steps)]}
        """
      return try Session(json: Array(json.utf8), file: "test.json")
    }

    @Test func `steps register, ask, watch, unregister and rename`() throws {
      let steps = """
        {"register_policy": {"name": "p", "flags": ["UNLOADOK"],
          "handlers": {"mpo_vnode_check_open": {"result": "EACCES"}}}},
        {"ask_policies": "mpo_vnode_check_open"},
        {"watch_policies": {"names": ["p"]}},
        {"ask_policies": {"operation": "mpo_vnode_check_open", "arguments": [1, "0x2", 3, 4]}},
        {"unregister_policy": "p"},
        {"ask_policies": "mpo_vnode_check_open"},
        {"unregister_policy": "p"},
        {"ask_policies": "mpo_vnode_check_nothing"},
        {"policy_blocking": "rename"},
        {"register_policy": "blocked"},
        {"register_policy": {"name": "old", "built_for": "10.12.4",
          "handlers": {"mpo_proc_check_cpumon": "0x1000"}}},
        {"load_policy": "/nowhere.so"}
        """
      let (result, text) = try play(
        try session(steps, policies: #"{"name": "AMFI"}"#), blocking: ["blocked"])
      #expect(
        result.steps.map(\.outcome.failure) == [
          nil, nil, "EACCES", nil, "EACCES", nil, nil, "no such policy",
          "no such operation in 10.13.6", nil, "EEXIST", nil,
          result.steps.last?.outcome.failure,
        ])
      #expect(result.steps.last?.outcome.failure?.contains("/nowhere.so") == true)
      #expect(text.contains("action=MAC_OP, uid=0, process(pid 59)=kextd"))
      #expect(text.contains("policy=p, operation=mpo_vnode_check_open, result=EACCES."))
    }

    @Test func `sessions one after another find no policies of the one before`() throws {
      let model = try KernelModel(dispatcher: Dispatcher(ring: EventRing()))
      let session = try #require(Session.shipped("mac-listing"))
      for _ in 0..<2 {
        let result = try model.run(session)
        #expect(result.steps.allSatisfy { $0.outcome.failure == nil })
      }
      try model.close()
    }

    @Test(arguments: [
      (
        #"{"register_policy": {"name": "p", "handlers": {"mpo_vnode_chek_open": {}}}}"#,
        "\"mpo_vnode_chek_open\" is no operation of any kernel; did you mean mpo_vnode_check_open?"
      ),
      (#"{"register_policy": {"name": "p", "conf": 1}}"#, "\"ops\" is needed beside it"),
    ])
    func `a wrong policy is refused with its place`(step: String, message: String) throws {
      let error = try #require(throws: SessionError.self) { try session(step) }
      #expect(error.description.contains(message), "\(error)")
      #expect(error.description.contains("test.json:2:"), "\(error)")
    }
  }
}
