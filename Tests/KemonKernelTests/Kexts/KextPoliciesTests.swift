// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

extension OneKernel {
  /// A kext on disk that declares MAC policies registers them when it is started.
  @Suite struct KextPoliciesTests {
    /// Loads a kext that is a file, then does something, on a machine with a plugin that denies policies by name.
    private func load<Result>(
      _ file: String, denying names: Set<String> = [],
      _ body: (KernelModel, _ load: StepOutcome) throws -> Result
    ) throws -> (Result, [MACRecord]) {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let plugin = MACPlugin { record, verdict in
        let name = record.view(of: kemon_mac_policy.self)?.name.string ?? ""
        if names.contains(name) { _ = kemon_deny(verdict, 17, "not this policy") }
      }
      let tokens = dispatcher.add([plugin.handler([KEMON_KIND_MAC_POLICY_REGISTER_PRE])])
      let model = try KernelModel(dispatcher: dispatcher)
      let json = """
        {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "steps": [{"load": {"file": "\(file)"}}]}
        """
      let session = try Session(json: Array(json.utf8), file: "/session.json")
      let outcome = try #require(try model.run(session).steps.first).outcome
      let result = try body(model, outcome)
      try model.close()
      dispatcher.remove(tokens)
      var records: [MACRecord] = []
      while subscription.drain({ record in
        records.append(MACRecord(record))
        return true
      }) > 0 {}
      return (result, records.filter { $0.kind.hasPrefix("mac.") })
    }

    private let linked = Checkout.fixture("Kexts/linked-x86_64").path

    @Test func `what its file declares is in the kernel's list, at the file's addresses`() throws {
      let (_, records) = try load(linked) { (model, outcome) throws in
        #expect(outcome == .done("com.example.linked"))
        let policies = try model.mac.list()
        #expect(policies.map(\.name) == ["dylibmon_m"])
        #expect(policies.first?.fullName == "Watches libraries")
        let functions = policies.first?.functions ?? []
        #expect(functions.map(\.slot) == [10, 36])
        #expect(functions.map(\.operation).last == "mpo_file_check_mmap")
        let places = functions.compactMap(\.module)
        #expect(places.count == 2 && places.allSatisfy { $0.hasPrefix("com.example.linked+0x") })
        #expect(model.mac.check(model.mac.slot("file_check_mmap")) == 0, "its code does not run")
        #expect(model.kexts.request { $0.requestRemoval("com.example.linked") } == .success)
        #expect(try model.mac.list().isEmpty)
      }
      #expect(
        records.map { "\($0.phase.name) \($0.kind) \($0.name)" } == [
          "pre mac.policy_register dylibmon_m", "post mac.policy_register dylibmon_m",
          "pre mac.policy_unregister dylibmon_m", "post mac.policy_unregister dylibmon_m",
        ])
    }

    @Test func `a kext whose policy is kept out does not start`() throws {
      _ = try load(linked, denying: ["dylibmon_m"]) { (model, outcome) throws in
        #expect(outcome.failure == "0xdc008017")
        #expect(try model.mac.list().isEmpty)
        #expect(model.kexts.modules.isEmpty)
        #expect(model.kexts.outcomes.first?.startStatus == 17)
      }
    }

    @Test func `of several policies all are registered or none`() throws {
      let scratch = try ScratchFolder()
      var builder = MachOBuilder()
      builder.policies = [
        .init(name: "first_m", slots: [6: 8]), .init(name: "second_m", slots: [36: 0]),
      ]
      let file = scratch.file("driver")
      try Data(builder.bytes).write(to: URL(filePath: file))
      _ = try load(file) { (model, _) throws in
        #expect(try model.mac.list().map(\.name) == ["first_m", "second_m"])
        #expect(model.kexts.request { $0.requestRemoval("com.example.driver") } == .success)
        #expect(try model.mac.list().isEmpty)
      }
      _ = try load(file, denying: ["second_m"]) { (model, outcome) throws in
        #expect(outcome.failure == "0xdc008017")
        #expect(try model.mac.list().isEmpty)
      }
    }

    @Test func `a policy that may not go keeps its kext`() throws {
      let scratch = try ScratchFolder()
      var builder = MachOBuilder()
      builder.policies = [.init(name: "stays_m", flags: 0)]
      let file = scratch.file("driver")
      try Data(builder.bytes).write(to: URL(filePath: file))
      _ = try load(file) { (model, _) throws in
        #expect(
          model.kexts.request { $0.requestRemoval("com.example.driver") } == .startStopError)
        #expect(try model.mac.list().map(\.name) == ["stays_m"])
        #expect(model.kexts.modules.map(\.id) == ["com.example.driver"])
      }
    }

    @Test func `who does not call the kernel's function registers nothing`() throws {
      let scratch = try ScratchFolder()
      var builder = MachOBuilder()
      builder.policies = [.init()]
      builder.imports = ["_IOLog"]
      let file = scratch.file("driver")
      try Data(builder.bytes).write(to: URL(filePath: file))
      let (_, records) = try load(file) { (model, outcome) throws in
        #expect(outcome.failure == nil)
        #expect(try model.mac.list().isEmpty)
      }
      #expect(records.isEmpty)
    }

    @Test func `slots that the kernel never calls are left out`() throws {
      let scratch = try ScratchFolder()
      let table = try #require(MACTable.named("10.13.6"))
      let reserved = try #require(table.slots.firstIndex { $0.isReserved })
      var builder = MachOBuilder()
      builder.policies = [.init(slots: [6: 8, reserved: 8, 334: 0])]
      let file = scratch.file("driver")
      try Data(builder.bytes).write(to: URL(filePath: file))
      _ = try load(file) { (model, _) throws in
        #expect(try model.mac.list().first?.functions.map(\.slot).contains(reserved) == false)
        #expect(try model.mac.list().first?.functions.map(\.slot).first == 6)
      }
    }
  }
}
