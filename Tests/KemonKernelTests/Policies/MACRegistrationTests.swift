// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import Testing

@testable import KemonKernel

/// Every check of registration, with what it leaves behind.
///
/// Numbers are Darwin's.
@Suite struct MACRegistrationTests {
  private let unloadable = MPC_LOADTIME_FLAG_UNLOADOK

  @Test func `a policy gets the first place, and is told of its life in order`() throws {
    let lab = try MACLab()
    let life = Life()
    let handle = try lab.register(
      "first", flags: unloadable,
      ["policy_initbsd", "policy_destroy", "policy_init"].map { operation in
        MACHandler(operation) { words in
          life.note(operation, words)
          return 0
        }
      })
    #expect(handle == 0)
    #expect(life.steps == ["policy_init", "policy_initbsd"])
    #expect(try lab.framework.unregister(handle) == 0)
    #expect(life.steps == ["policy_init", "policy_initbsd", "policy_destroy"])
    // Each was given its own mac_policy_conf.
    #expect(Set(life.arguments).count == 1 && life.arguments.first != 0)
    #expect(
      lab.records().map(\.text).filter { !$0.isEmpty } == [
        "calling mpo_policy_init for first", "calling mpo_policy_initbsd for first",
        "Security policy loaded: first policy (first)",
        "Security policy unload: first policy (first)",
      ])
  }

  @Test func `while the system boots there is no initbsd, and nobody is told`() throws {
    let lab = try MACLab()
    let life = Life()
    _ = try lab.framework.duringBoot {
      try lab.register(
        "early",
        ["policy_init", "policy_initbsd"].map { operation in
          MACHandler(operation) { words in
            life.note(operation, words)
            return 0
          }
        })
    }
    #expect(life.steps == ["policy_init"])
    #expect(lab.records().isEmpty)
  }

  @Test func `a policy that must not be late is refused with EPERM after the boot`() throws {
    let lab = try MACLab()
    let flags = MPC_LOADTIME_FLAG_NOTLATE
    _ = try lab.framework.duringBoot { try lab.register("early", flags: flags) }
    let late = try lab.policy("late", flags: flags)
    #expect(try lab.framework.register(late).status == 1)
    #expect(lab.framework.counters.loaded == 1)
    #expect(
      lab.records().contains { $0.text == "Module late does not support late loading." })
  }

  @Test func `a taken name is refused with EEXIST and nothing changes`() throws {
    let lab = try MACLab()
    try lab.register("twin")
    let before = lab.framework.counters
    let twin = try lab.policy("twin", flags: unloadable, labels: true)
    let bytes = twin.confBytes
    #expect(try lab.framework.register(twin) == MACRegistration(status: 17, handle: nil))
    #expect(twin.confBytes == bytes)
    #expect(twin.label == nil)
    #expect(lab.framework.counters == before)
  }

  @Test(arguments: [("10.13.6", 7)])
  func `label slots run out with ENOMEM, and come back`(release: String, slots: Int) throws {
    let lab = try MACLab(release)
    var handles: [Int] = []
    for number in 0..<slots {
      let policy = try lab.policy("labels \(number)", flags: unloadable, labels: true)
      handles.append(try #require(try lab.framework.register(policy).handle))
      #expect(policy.label == number)
    }
    let late = try lab.policy("late", flags: unloadable, labels: true)
    #expect(try lab.framework.register(late).status == 12)
    #expect(try lab.framework.unregister(handles[3]) == 0)
    #expect(try lab.framework.register(late).handle == handles[3])
    #expect(late.label == 3)
  }

  @Test func `a policy that may not go is kept with EBUSY`() throws {
    let lab = try MACLab()
    let handle = try lab.register("stays")
    #expect(try lab.framework.unregister(handle) == 16)
    #expect(try lab.framework.list().map(\.name) == ["stays"])
  }

  @Test func `a free place is used again, and a hole stays a hole`() throws {
    let lab = try MACLab()
    for name in ["a", "b", "c"] { try lab.register(name, flags: unloadable) }
    #expect(try lab.framework.unregister(1) == 0)
    #expect(try lab.framework.list().map(\.index) == [0, 2])
    #expect(lab.framework.counters.highest == 2)
    #expect(lab.framework.counters.hint == 1)
    #expect(try lab.register("d", flags: unloadable) == 1)
    #expect(try lab.framework.unregister(2) == 0)
    #expect(lab.framework.counters.highest == 1)
  }

  @Test func `policies in front that can not go are static`() throws {
    let lab = try MACLab()
    // While the system boots the flag does not count.
    _ = try lab.framework.duringBoot { try lab.register("boot", flags: unloadable) }
    try lab.register("stays")
    #expect(lab.framework.counters.fixed == 2)
    try lab.register("goes", flags: unloadable)
    try lab.register("stays, behind one that goes")
    #expect(lab.framework.counters.fixed == 2)
  }

  @Test func `policies behind a hole among static ones are asked all the same`() throws {
    let lab = try MACLab()
    try lab.framework.duringBoot {
      for name in ["a", "b"] { try lab.register(name, flags: unloadable) }
    }
    try lab.register("c", flags: unloadable, [MACHandler("vnode_check_open") { _ in 13 }])
    #expect(try lab.framework.unregister(0) == 0)
    #expect(lab.framework.counters.fixed == 2)
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open")) == 13)
  }

  @Test func `the list grows by a chunk of the release`() throws {
    let lab = try MACLab()
    #expect(lab.framework.counters.capacity == 512)
    for number in 0...512 { try lab.register("policy \(number)") }
    let counters = lab.framework.counters
    #expect((counters.capacity, counters.chunks, counters.loaded) == (1024, 2, 513))
  }

  @Test func `what would be a panic is refused and changes nothing`() throws {
    let lab = try MACLab()
    let cases: [(MACPolicy, MACError.Code)] = [
      (try lab.policy(nil), .noName),
      (
        try MACPolicy(name: "x", fullName: nil, table: lab.framework.table, handlers: []),
        .noFullName
      ),
      (try lab.policy("x", nil), .noOperations),
    ]
    for (policy, code) in cases {
      let error = try #require(throws: MACError.self) { try lab.framework.register(policy) }
      #expect(error.code == code)
    }
    let error = try #require(throws: MACError.self) { try lab.framework.unregister(0) }
    #expect(error.code == .badHandle)
    let far = try #require(throws: MACError.self) { try lab.framework.unregister(-1) }
    #expect(far.code == .badHandle)
    #expect(lab.framework.counters.loaded == 0)
  }

  @Test func `too many label names are refused`() throws {
    let lab = try MACLab()
    let policy = try lab.policy("labels")
    policy.conf.pointee.mpc_labelname_count = 5
    let error = try #require(throws: MACError.self) { try lab.framework.register(policy) }
    #expect(error.code == .tooManyLabels)
  }

  @Test func `a thread in no kernel registers nothing`() throws {
    let lab = try MACLab()
    let policy = try lab.policy("lost")
    var handle: UInt32 = 0
    #expect(mac_policy_register(policy.conf, &handle, nil) == 22)
    #expect(MACError(refusal: kernel_mac_take_refusal())?.code == .noKernel)
  }

  @Test func `a policy that registers another from inside would wait for itself`() throws {
    let lab = try MACLab()
    let inner = try lab.policy("inner")
    let framework = lab.framework
    let outcome = Life()
    try lab.register(
      "outer", flags: unloadable,
      [
        MACHandler("vnode_check_open") { _ in
          do throws(MACError) {
            _ = try framework.register(inner)
          } catch {
            outcome.note("\(error.code)", [])
          }
          return 0
        }
      ])
    #expect(framework.check(framework.slot("mpo_vnode_check_open")) == 0)
    #expect(outcome.steps == ["selfWait"])
    #expect(framework.counters.loaded == 1)
  }

  @Test func `an operation that the table does not have is refused by name`() throws {
    let lab = try MACLab()
    let error = try #require(throws: MACError.self) {
      try lab.policy("x", [MACHandler("vnode_check_nothing")])
    }
    #expect(error.code == .unknownOperation)
    #expect(error.message.contains("vnode_check_nothing is no operation of macOS 10.13.3"))
  }
}
