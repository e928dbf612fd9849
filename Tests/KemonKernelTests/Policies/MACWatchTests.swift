// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// Plugins in front of every operation of a policy.
@Suite struct MACWatchTests {
  @Test func `a plugin sees a call with its arguments by name, and what the policy answered`()
    throws
  {
    let lab = try MACLab()
    try lab.framework.watch(["p"])
    try lab.register("p", [MACHandler("vnode_check_open") { _ in 13 }])
    try lab.register("q", [MACHandler("vnode_check_open")])
    _ = lab.records()
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 1, 2, 3, 4) == 13)
    let records = lab.records()
    #expect(records.map(\.phase) == [.pre, .post])
    #expect(records.allSatisfy { $0.name == "p" && $0.operation == "mpo_vnode_check_open" })
    #expect(records[0].argumentNames == ["cred", "vp", "label", "acc_mode"])
    #expect(records[0].words == [1, 2, 3, 4])
    #expect(records[0].corr == records[1].corr)
    // EACCES has one number on both systems.
    #expect(records[1].value == 13 && records[1].result == 13)
  }

  @Test func `a denied call does not reach the policy, and its caller gets the errno`() throws {
    let lab = try MACLab()
    try lab.framework.watch(nil)
    let life = Life()
    try lab.register(
      "p",
      [
        MACHandler("vnode_check_open") { words in
          life.note("open", words)
          return 0
        },
        MACHandler("vnode_notify_open") { words in
          life.note("notify", words)
          return 0
        },
      ])
    lab.plugin([KEMON_KIND_MAC_OP_PRE]) { _, verdict in _ = kemon_deny(verdict, 35, "no") }
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 1, 2, 3, 4) == 11)
    #expect(lab.framework.ask(lab.framework.slot("vnode_notify_open"), [1, 2, 3, 4]) == 0)
    #expect(life.steps.isEmpty)
    let posts = lab.records().filter { $0.kind == "mac.op" && $0.phase == .post }
    #expect(posts.suffix(2).map(\.result) == [35, 35])
  }

  @Test func `a replaced answer is what the kernel combines`() throws {
    let lab = try MACLab()
    try lab.framework.watch(nil)
    try lab.register("p", [MACHandler("vnode_check_open") { _ in 13 }])
    lab.plugin([KEMON_KIND_MAC_OP]) { _, verdict in
      _ = kemon_replace_result(verdict, 0, "fine after all")
    }
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 1) == 0)
  }

  @Test func `policies that are there are watched from now on, and their structure comes back`()
    throws
  {
    let lab = try MACLab()
    let policy = try lab.policy(
      "p", flags: MPC_LOADTIME_FLAG_UNLOADOK, [MACHandler("vnode_check_open")])
    let handle = try #require(try lab.framework.register(policy).handle)
    let ops = policy.conf.pointee.mpc_ops
    let listed = try lab.framework.list()
    try lab.framework.watch(nil)
    #expect(policy.conf.pointee.mpc_ops != ops)
    #expect(try lab.framework.list() == listed)
    _ = lab.records()
    _ = lab.framework.check(lab.framework.slot("vnode_check_open"), 1)
    #expect(lab.records().count == 2)
    #expect(try lab.framework.unregister(handle) == 0)
    #expect(policy.conf.pointee.mpc_ops == ops)
  }

  @Test func `a policy that is refused keeps its own table`() throws {
    let lab = try MACLab()
    try lab.framework.watch(nil)
    try lab.register("twin")
    let twin = try lab.policy("twin", [MACHandler("vnode_check_open")])
    let bytes = twin.confBytes
    #expect(try lab.framework.register(twin).status == 17)
    #expect(twin.confBytes == bytes)
  }

  @Test func `a closed framework leaves the policies as they were`() throws {
    let lab = try MACLab()
    try lab.framework.watch(nil)
    let policy = try lab.policy("p", [MACHandler("vnode_check_open") { _ in 13 }])
    let ops = policy.conf.pointee.mpc_ops
    _ = try lab.framework.register(policy)
    try lab.framework.close()
    #expect(policy.conf.pointee.mpc_ops == ops)
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 1) == 13)
  }

  @Test func `one plugin binary finds an argument in both prototypes of case 2`() throws {
    let flags = Life()
    for (release, position) in [("10.12.6", 4), ("10.13.6", 5)] {
      let lab = try MACLab(release)
      try lab.framework.watch(nil)
      lab.plugin([KEMON_KIND_MAC_OP_PRE]) { record, _ in
        var value: UInt64 = 0
        guard let operation = record.payload(as: kemon_mac_op.self) else { return }
        let isThere = withUnsafePointer(to: operation) {
          kemon_mac_argument(record.event, $0, "flags", &value)
        }
        #expect(isThere == 1)
        #expect(record.view(of: kemon_mac_op.self)?.argument("flags") == value)
        flags.note(release, [value])
        if value == 0xBAD { flags.note("bad", []) }
      }
      try lab.register("p", [MACHandler("vnode_check_signature")])
      var words = Array(repeating: UInt64(7), count: 8)
      words[position] = 0xBAD
      _ = lab.framework.ask(lab.framework.slot("vnode_check_signature"), words)
    }
    #expect(flags.steps == ["10.12.6", "bad", "10.13.6", "bad"])
  }

  /// Every operation of a table, called as the kernel calls it, through the watch, with arguments of which every bit counts.
  @Test(arguments: MACTable.all.map(\.name))
  func `every operation of every table is seen, decided and answered`(name: String) throws {
    let table = try #require(MACTable.named(name))
    let ring = EventRing()
    let dispatcher = Dispatcher(ring: ring)
    let subscription = try ring.subscribe(named: "test", overflow: .drop)
    let life = Life()
    let policy = try MACPolicy(
      name: "p", fullName: "p", table: table,
      handlers: table.slots.filter { !$0.isReserved }.map { operation in
        MACHandler(operation.name) { words in
          life.note(operation.name, words)
          return 0x0BCD
        }
      })
    let ops = try #require(policy.conf.pointee.mpc_ops)
    let watch = MACWatch(
      policy.conf, ops, in: table, records: KernelRecords(dispatcher: dispatcher))
    watch.install()
    defer { watch.remove() }
    let watched = try #require(policy.conf.pointee.mpc_ops)
    var random = SeededRandom(seed: UInt64(table.index))
    var replaced = false
    let plugin = MACPlugin { _, verdict in
      if replaced { _ = kemon_replace_result(verdict, 0x1234, "replaced") }
    }
    dispatcher.add([plugin.handler([KEMON_KIND_MAC_OP])])
    for (index, operation) in table.slots.enumerated() where !operation.isReserved {
      let function = try #require(watched[index])
      #expect(function != ops[index])
      let words = operation.parameters.flatMap { parameter in
        (0..<parameter.type.words).map { _ in parameter.type.fitting(random.next()) }
      }
      for turn in [false, true] {
        replaced = turn
        let answer = words.withUnsafeBufferPointer { buffer -> Int32 in
          guard let start = buffer.baseAddress else { return -1 }
          return MACPrototype.of(operation).call(function, words: start)
        }
        let isVoid = operation.result.name == "void"
        if !isVoid { #expect(answer == (turn ? 0x1234 : 0x0BCD), "\(operation.name)") }
        #expect(life.words.last == words, "\(operation.name)")
        #expect(life.steps.last == operation.name)
        var seen: [MACRecord] = []
        while subscription.drain({
          seen.append(MACRecord($0)); return true
        }) > 0 {}
        #expect(seen.map(\.phase) == [.pre, .post])
        #expect(seen.allSatisfy { $0.words == words && $0.operation == operation.name })
        #expect(seen.allSatisfy { $0.argumentNames == operation.wordNames })
        #expect(seen.last?.value == (isVoid ? 0 : 0x0BCD))
      }
    }
  }

  @Test func `no memory is writable and executable while policies are watched`() throws {
    let lab = try MACLab()
    try lab.framework.watch(nil)
    try lab.register("p", [MACHandler("vnode_check_open")])
    let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    #expect(!maps.split(separator: "\n").contains { $0.contains(" rwx") })
  }
}

extension MACType {
  /// A value that the type can hold, as it is passed on.
  fileprivate func fitting(_ bits: UInt64) -> UInt64 {
    switch shape {
    case .integer(2, _): UInt64(UInt16(truncatingIfNeeded: bits))
    case .integer(4, true): UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: bits)))
    case .integer(4, false): UInt64(UInt32(truncatingIfNeeded: bits))
    default: bits
    }
  }
}
