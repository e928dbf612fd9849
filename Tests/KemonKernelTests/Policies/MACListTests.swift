// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import Testing

@testable import KemonKernel

/// The row "MAC list" of the original's features.
@Suite struct MACListTests {
  private func amfi(_ table: MACTable) throws -> MACPolicy {
    try MACPolicy(
      name: "AMFI", fullName: "Apple Mobile File Integrity", table: table,
      handlers: [
        MACHandler("mpo_file_check_mmap", address: 0xffff_ff7f_89e1_bb96),
        MACHandler("mpo_cred_label_init", address: 0xffff_ff7f_89e1_d31c),
      ], address: (conf: 0xffff_ff7f_89e2_34b8, ops: 0xffff_ff7f_89e2_2a40))
  }

  @Test func `MAC list: policies are listed with functions in the order of the table`() throws {
    let lab = try MACLab()
    lab.framework.add(
      MACModule(
        name: "com.apple.driver.AppleMobileFileIntegrity", base: 0xffff_ff7f_89e1_8000,
        size: 0x10000))
    #expect(try lab.framework.register(amfi(lab.framework.table)).status == 0)
    let policy = try #require(try lab.framework.list().first)
    #expect(policy.name == "AMFI" && policy.index == 0)
    #expect(policy.conf == 0xffff_ff7f_89e2_34b8 && policy.ops == 0xffff_ff7f_89e2_2a40)
    #expect(policy.functions.map(\.slot) == [16, 36])
    #expect(policy.functions.map(\.operation) == ["mpo_cred_label_init", "mpo_file_check_mmap"])
    #expect(
      policy.functions.map(\.module) == [
        "com.apple.driver.AppleMobileFileIntegrity+0x531C",
        "com.apple.driver.AppleMobileFileIntegrity+0x3B96",
      ])
  }

  @Test func `MAC list: a hole in the list keeps its place free`() throws {
    let lab = try MACLab()
    for name in ["a", "b", "c"] { try lab.register(name, flags: MPC_LOADTIME_FLAG_UNLOADOK) }
    #expect(try lab.framework.unregister(1) == 0)
    _ = lab.records()
    #expect(try lab.framework.showList().map(\.index) == [0, 2])
    let records = lab.records()
    #expect(records.map(\.kind) == ["mac.policy_list", "mac.policy_list"])
    #expect(records.map(\.name) == ["a", "c"])
  }

  @Test func `MAC list: an address behind the last module has no module`() {
    var modules = MACModules()
    modules.known = [MACModule(name: "m", base: 0x1000, size: 0x100)]
    #expect(modules.place(of: 0x1001) == "m+0x1")
    #expect(modules.place(of: 0x10FF) == "m+0xFF")
    // The original's comparison is strict at both ends.
    #expect(modules.place(of: 0x1000) == nil)
    #expect(modules.place(of: 0x1100) == nil)
  }

  @Test(arguments: ["10.11.6", "10.12.6", "10.13.6", "10.14.6", "10.15"])
  func `MAC list: each release has its own table`(release: String) throws {
    let lab = try MACLab(release)
    try lab.register("p", [MACHandler("mpo_vnode_check_open"), MACHandler("mpo_file_check_mmap")])
    let functions = try lab.framework.list()[0].functions
    #expect(functions.map(\.operation) == ["mpo_file_check_mmap", "mpo_vnode_check_open"])
    #expect(
      functions.map(\.slot) == [36, try #require(lab.framework.table.slot(of: "vnode_check_open"))])
  }

  @Test func `a new start of the machine has no policies`() throws {
    let lab = try MACLab()
    try lab.register("gone", [MACHandler("vnode_check_open") { _ in 1 }])
    lab.framework.restart(with: [])
    #expect(try lab.framework.list().isEmpty)
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open")) == 0)
    #expect(try lab.register("gone") == 0)
  }
}
