// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

@Suite struct MACTableTests {
  @Test func `thirty tables serve a hundred and two releases`() {
    #expect(MACTable.all.count == 30)
    #expect(MACRelease.all.count == 102)
    #expect(MACTable.all.map(\.releases.count).reduce(0, +) == 102)
    #expect(MACTable.all.first?.slots.count == 314)
    #expect(MACTable.all.last?.slots.count == 335)
    for table in MACTable.all { #expect(table.releases.first?.xnu == table.name) }
  }

  @Test func `releases with equal tables share their hash, and no others do`() {
    let pairs = Set(MACRelease.all.map { "\($0.abi) \($0.table.name)" })
    #expect(pairs.count == 30)
    #expect(Set(MACRelease.all.map(\.abi)).count == 30)
  }

  @Test func `a release is found by its system and by its kernel`() throws {
    for name in ["10.13.6", "macOS 10.13.6", "4570.71.2"] {
      #expect(MACTable.named(name)?.name == "4570.41.2")
    }
    #expect(MACTable.named("10.9.1")?.name == "2422.1.72")
    #expect(MACRelease.named("10.13.6")?.opsVersion == 53)
    #expect(MACRelease.named("4903.221.2")?.version == "10.14.1")
    // Their kernels were never published.
    #expect(MACTable.named("10.14") == nil)
    // A number is no release: two tables have this one.
    #expect(MACTable.named("13") == nil)
    #expect(MACRelease.all.filter { $0.opsVersion == 13 }.map(\.table.name).uniqued.count == 2)
  }

  @Test(arguments: KernelRelease.all)
  func `every kernel that the model can be has a table`(release: KernelRelease) throws {
    let table = try #require(release.macTable)
    #expect(table.slots.count == 335)
    #expect(release.macOpsVersion >= 39)
  }

  @Test func `every table has the life of a policy, and no operation twice`() {
    for table in MACTable.all {
      for operation in ["policy_init", "policy_initbsd", "policy_destroy"] {
        #expect(table.slot(of: operation) == table.slot(of: "mpo_\(operation)"))
        #expect(table.slot(of: operation) != nil)
      }
      #expect(Set(table.slots.map(\.name)).count == table.slots.count)
    }
  }

  @Test func `a prototype keeps names and types of its parameters`() throws {
    let table = try #require(MACTable.named("10.13.6"))
    let slot = try #require(table.slot(of: "vnode_check_signature"))
    let operation = table.slots[slot]
    #expect(slot == 304)
    #expect(
      operation.parameters.map(\.name) == [
        "vp", "label", "cs_blob", "cs_flags", "signer_type", "flags", "fatal_failure_desc",
        "fatal_failure_desc_len",
      ])
    #expect(
      operation.signature
        == "int(struct vnode *, struct label *, struct cs_blob *, unsigned int *, unsigned int *, "
        + "int, char **, size_t *)")
  }

  @Test func `a structure by value is a word for each eight bytes`() throws {
    let table = try #require(MACTable.named("10.13.6"))
    let slot = try #require(table.slot(of: "vnode_check_setutimes"))
    #expect(
      table.slots[slot].wordNames == [
        "cred", "vp", "label", "atime.tv_sec", "atime.tv_nsec", "mtime.tv_sec", "mtime.tv_nsec",
      ])
    #expect(!table.slots[slot].isPlain)
    #expect(MACTable.all.flatMap { $0.slots.map(\.words) }.max() ?? 0 <= 16)
  }

  @Test func `every operation has its rule`() throws {
    let table = try #require(MACTable.named("10.13.6"))
    let rules = [
      "priv_grant", "audit_check_preselect", "cred_check_label_update_execve",
      "vnode_notify_open", "vnode_check_open",
    ].compactMap { table.slot(of: $0).map { table.slots[$0].rule } }
    #expect(rules == [.grant, .greatest, .firstTrue, .perform, .check])
  }
}

extension Array where Element: Hashable {
  fileprivate var uniqued: Set<Element> { Set(self) }
}
