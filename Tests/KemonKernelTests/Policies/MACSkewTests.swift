// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

@Suite struct MACSkewTests {
  @Test(arguments: try facts("mac/pairs.tsv"))
  func `what a policy meets on another kernel is what the facts say`(
    row: [String: String]
  ) throws {
    let built = try #require(MACTable.named(row["built_for"] ?? ""))
    let running = try #require(MACTable.named(row["running"] ?? ""))
    let skew = MACSkew(built: built, running: running)
    let counts: [(String, MACSkew.Fate)] = [
      ("ok", .ok), ("prototype_mismatch", .wrongPrototype), ("wrong_op", .wrongOperation),
      ("never_called", .neverCalled), ("slot_missing", .missing), ("new_ops_unset", .unset),
      ("slots_past_end", .pastEnd),
    ]
    for (column, fate) in counts { #expect(String(skew.count(fate)) == row[column], "\(column)") }
  }

  @Test func `the oracle has all pairs of different tables`() throws {
    #expect(try facts("mac/pairs.tsv").count == 30 * 29)
  }

  private func slots(_ number: Int, _ example: Int = 0) throws -> [(Int, String, String)] {
    let example = try #require(MACCase.named(String(number))).examples[example]
    let skew = try #require(example.skew)
    return example.slots.map { index in
      (index, skew.built.slots[index].name, skew.running.slots[index].name)
    }
  }

  @Test func `case 1: interfaces were deleted or replaced directly`() throws {
    let deleted = try slots(1)
    #expect(
      deleted.map(\.1) == [
        "mpo_vnode_notify_rename", "mpo_thread_label_init", "mpo_thread_label_destroy",
        "mpo_system_check_kas_info",
      ])
    #expect(
      deleted.map(\.2) == [
        "mpo_vnode_notify_rename", "mpo_reserved32", "mpo_reserved33", "mpo_system_check_kas_info",
      ])
    let replaced = try slots(1, 1)
    #expect(replaced.map(\.1) == ["mpo_system_check_kas_info", "mpo_proc_check_cpumon"])
    #expect(
      replaced.map(\.2) == ["mpo_system_check_kas_info", "mpo_vnode_check_lookup_preflight"])
  }

  @Test func `case 2: prototypes were changed directly`() throws {
    let example = try #require(MACCase.named("prototype")?.examples.first)
    let skew = try #require(example.skew)
    let slot = try #require(skew.slots.first { $0.index == 304 })
    #expect(slot.fate == .wrongPrototype)
    #expect(slot.built?.parameters.contains { $0.name == "signer_type" } == false)
    #expect(slot.running?.parameters[4].name == "signer_type")
    #expect(slot.running?.parameters[4].type.name == "unsigned int *")
  }

  @Test func `case 3: interfaces were inserted into the middle`() throws {
    let rows = try slots(3)
    #expect(rows[3].1 == "mpo_vnode_notify_rename")
    #expect(rows[3].2 == "mpo_proc_check_ledger")
    #expect(rows[4].2 == "mpo_vnode_notify_rename")
    #expect(
      rows[5...].map(\.2) == [
        "mpo_thread_label_init", "mpo_thread_label_destroy", "mpo_system_check_kas_info",
      ])
  }

  @Test func `case 4: the table was rewritten and the number stayed`() throws {
    let example = try #require(MACCase.named("same-number")?.examples.first)
    let skew = try #require(example.skew)
    #expect(
      skew.built.releases.first?.opsVersion == 13 && skew.running.releases.first?.opsVersion == 13)
    let changed = skew.slots.filter { $0.built?.name != $0.running?.name }
    #expect(changed.map(\.index) == [324])
    #expect(changed.first?.running?.name == "mpo_vnode_notify_open")
    #expect(changed.first?.fate == .unset)
  }
}
