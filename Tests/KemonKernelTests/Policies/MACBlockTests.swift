// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

/// The row "MAC block" of the original's features, through the hooks on the machine code.
@Suite struct MACBlockTests {
  @Test func `MAC block: one policy is kept out by name, its structure intact, the list unchanged`()
    throws
  {
    let lab = try MACLab()
    lab.block(["procmon_m"])
    try lab.register("AMFI")
    let before = (try lab.framework.list(), lab.framework.counters)
    let life = Life()
    let policy = try lab.policy(
      "procmon_m", flags: MPC_LOADTIME_FLAG_UNLOADOK,
      [
        MACHandler("policy_init") { words in
          life.note("init", words)
          return 0
        }
      ])
    let bytes = policy.confBytes
    #expect(try lab.framework.register(policy) == MACRegistration(status: 17, handle: nil))
    #expect(policy.confBytes == bytes)
    #expect(try lab.framework.list() == before.0)
    #expect(lab.framework.counters == before.1)
    #expect(life.steps.isEmpty)
    #expect(try lab.register("dylibmon_m") == 1)

    let records = lab.records().filter { $0.name == "procmon_m" }
    #expect(records.map(\.phase) == [.pre, .post])
    #expect(records[0].verdict == .deny && records[0].corr == records[1].corr)
    #expect(records[1].status == 17 && records[1].result == 17)
  }

  @Test func `MAC block: an errno that the plugin gives reaches the caller in Darwin's numbers`()
    throws
  {
    let lab = try MACLab()
    // 35 is EDEADLK on Linux, 11 on Darwin.
    lab.block(["p"], errno: 35)
    #expect(try lab.framework.register(try lab.policy("p")).status == 11)
    #expect(lab.records().last?.result == 35)
  }

  @Test
  func `MAC block: the original's way renames the policy, and changes the caller's structure`()
    throws
  {
    let lab = try MACLab()
    lab.block(["procmon_m"])
    lab.framework.setBlocking(.rename)
    // Without a policy of that name the trick does not work.
    let first = try lab.policy("procmon_m", flags: MPC_LOADTIME_FLAG_UNLOADOK)
    let handle = try #require(try lab.framework.register(first).handle)
    #expect(try lab.framework.list().map(\.name) == ["AMFI"])
    #expect(try lab.framework.unregister(handle) == 0)

    try lab.register("AMFI")
    let policy = try lab.policy("procmon_m")
    let bytes = policy.confBytes
    #expect(try lab.framework.register(policy).status == 17)
    #expect(policy.confBytes != bytes)
    #expect(String(cString: policy.conf.pointee.mpc_name) == "AMFI")
    #expect(try lab.framework.list().map(\.fullName) == ["AMFI policy"])
  }

  @Test func `a replaced result is what the caller sees`() throws {
    let lab = try MACLab()
    lab.plugin([KEMON_KIND_MAC_POLICY_REGISTER]) { _, verdict in
      // 95 is ENOTSUP on Linux, 45 on Darwin.
      _ = kemon_replace_result(verdict, 95, "replaced by the test")
    }
    #expect(try lab.framework.register(try lab.policy("p")).status == 45)
    #expect(lab.framework.counters.loaded == 1)
  }

  @Test func `an unregistration is seen before and after, and can be denied`() throws {
    let lab = try MACLab()
    let handle = try lab.register("p", flags: MPC_LOADTIME_FLAG_UNLOADOK)
    let tokens = lab.plugin([KEMON_KIND_MAC_POLICY_UNREGISTER_PRE]) { _, verdict in
      _ = kemon_deny(verdict, 16, "stays")
    }
    _ = lab.records()
    #expect(try lab.framework.unregister(handle) == 16)
    #expect(try lab.framework.list().map(\.name) == ["p"])
    #expect(lab.records().map(\.phase) == [.pre, .post])
    lab.dispatcher.remove(tokens)
    #expect(try lab.framework.unregister(handle) == 0)
    #expect(lab.records().filter { $0.kind == "mac.policy_unregister" }.map(\.status) == [0, 0])
  }

  @Test func `a replaced unregistration is what the caller sees`() throws {
    let lab = try MACLab()
    let handle = try lab.register("p", flags: MPC_LOADTIME_FLAG_UNLOADOK)
    lab.plugin([KEMON_KIND_MAC_POLICY_UNREGISTER]) { _, verdict in
      _ = kemon_replace_result(verdict, 16, "replaced by the test")
    }
    #expect(try lab.framework.unregister(handle) == 16)
    #expect(try lab.framework.list().isEmpty, "it was done")
  }

  @Test func `a plugin sees which functions a policy brings`() throws {
    let lab = try MACLab()
    let seen = Life()
    lab.plugin([KEMON_KIND_MAC_POLICY_REGISTER_PRE]) { record, verdict in
      guard let policy = record.view(of: kemon_mac_policy.self) else { return }
      for operation in policy.handler_names.list {
        seen.note(operation.string, [])
        if operation == "mpo_file_check_mmap" { _ = kemon_deny(verdict, 1, "watches libraries") }
      }
    }
    let policy = try lab.policy(
      "spy", [MACHandler("file_check_mmap"), MACHandler("cred_label_init")])
    #expect(try lab.framework.register(policy).status == 17)
    #expect(seen.steps == ["mpo_cred_label_init", "mpo_file_check_mmap"])
  }

  @Test func `a closed framework registers without Kemon`() throws {
    let lab = try MACLab()
    lab.block(["p"])
    try lab.framework.close()
    #expect(try lab.framework.register(try lab.policy("p")).status == 0)
    #expect(lab.records().allSatisfy { $0.kind == "kernel.log" })
  }

  @Test func `two kernels of a process do not see each other's policies`() throws {
    let (first, second) = (try MACLab(), try MACLab("10.15"))
    second.block(["p"])
    try first.register("p")
    #expect(try second.framework.register(try second.policy("p")).status == 17)
    #expect(first.records().filter { $0.kind.hasPrefix("mac.") }.count == 2)
    #expect(try second.framework.list().isEmpty)
  }
}
