// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonPlatform
import KemonTestSupport
import Testing

@testable import KemonKernel

/// How the kernel asks policies that are registered.
@Suite struct MACAskTests {
  /// A policy answers what the framework is told next.
  private final class Answers: Sendable {
    private let next = PosixLock<[Int32]>([])
    func set(_ answers: [Int32]) { next.withLock { $0 = answers } }
    func answer(_ policy: Int) -> Int32 { next.withLock { policy < $0.count ? $0[policy] : 0 } }
  }

  @Test func `registered policies are combined as the kernel does`() throws {
    let lab = try MACLab()
    let answers = Answers()
    for policy in 0..<3 {
      // One that can not go, two that can: both ways of walking the list.
      try lab.register(
        "policy \(policy)", flags: policy == 0 ? 0 : 2,
        [MACHandler("vnode_check_open") { _ in answers.answer(policy) }])
    }
    let slot = lab.framework.slot("mpo_vnode_check_open")
    for row in try facts("mac/aggregation_cases.tsv") {
      let (results, expected) = try MACRuleTests.answers(row)
      answers.set(results)
      #expect(lab.framework.check(slot, 1, 2, 3, 4) == expected, "\(row)")
    }
  }

  @Test func `every policy is asked, in the order of the places`() throws {
    let lab = try MACLab()
    let life = Life()
    for name in ["a", "b", "c"] {
      try lab.register(
        name, flags: 2,
        [
          MACHandler("vnode_check_open") { words in
            life.note(name, words)
            return name == "a" ? 13 : 0
          }
        ])
    }
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 10, 20, 30, 40) == 13)
    #expect(life.steps == ["a", "b", "c"])
    // acc_mode is an int: what is above it does not arrive.
    #expect(life.words == Array(repeating: [10, 20, 30, 40], count: 3))
  }

  @Test func `without policies nobody is asked and everything is allowed`() throws {
    let lab = try MACLab()
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 1) == 0)
    #expect(lab.framework.ask(lab.framework.slot("priv_grant"), [1, 2]) == 1)
    #expect(lab.framework.slot("vnode_check_nothing") == nil)
    #expect(lab.framework.check(nil) == 0)
  }

  @Test func `the first true answer of an exec ends the asking`() throws {
    let lab = try MACLab()
    let life = Life()
    for name in ["a", "b", "c"] {
      try lab.register(
        name,
        [
          MACHandler("cred_check_label_update_execve") { words in
            life.note(name, words)
            return name == "b" ? 1 : 0
          }
        ])
    }
    let slot = try #require(lab.framework.slot("mpo_cred_check_label_update_execve"))
    #expect(slot.rule == .firstTrue)
    #expect(lab.framework.ask(slot, Array(1...10)) == 1)
    #expect(life.steps == ["a", "b"])
    #expect(life.words.first == Array(1...10))
  }

  @Test func `structures by value arrive whole`() throws {
    let lab = try MACLab()
    let life = Life()
    try lab.register(
      "times",
      [
        MACHandler("vnode_check_setutimes") { words in
          life.note("times", words)
          return 1
        }
      ])
    let words: [UInt64] = [1, 2, 3, 1_500_000_000, 999_999_999, .max, 7]
    #expect(lab.framework.ask(lab.framework.slot("vnode_check_setutimes"), words) == 1)
    #expect(life.words == [words])
  }

  @Test func `a policy built for another kernel gets what that kernel passes`() throws {
    // Case 1 of the talk: slot 323 was proc_check_cpumon(cred).
    let lab = try MACLab()
    let old = try #require(MACTable.named("10.12.4"))
    let life = Life()
    let policy = try MACPolicy(
      name: "old", fullName: "built for 10.12.4", table: old,
      handlers: [
        MACHandler("proc_check_cpumon") { words in
          life.note("cpumon", words)
          return 1
        }
      ])
    #expect(try lab.framework.register(policy).status == 0)
    let slot = lab.framework.slot("vnode_check_lookup_preflight")
    #expect(lab.framework.check(slot, 0xC4ED, 2, 3, 4, 5) == 1)
    #expect(life.words == [[0xC4ED]])
    #expect(
      try lab.framework.list()[0].functions[0].operation == "mpo_vnode_check_lookup_preflight")
  }

  @Test func `a policy can go only when nobody is inside`() throws {
    let lab = try MACLab()
    let framework = lab.framework
    let entered = Life()
    let release = PosixLock(false)
    let handle = try lab.register(
      "slow", flags: 2,
      [
        MACHandler("vnode_check_open") { words in
          entered.note("in", words)
          while !release.withLock({ $0 }) { sched_yield() }
          entered.note("out", words)
          return 0
        },
        MACHandler("policy_destroy") { words in
          entered.note("destroyed", words)
          return 0
        },
      ])
    let asking = WorkerThread(named: "ask") {
      _ = framework.check(framework.slot("vnode_check_open"), 1)
    }
    while entered.steps.isEmpty { sched_yield() }
    let leaving = WorkerThread(named: "leave") { _ = try? framework.unregister(handle) }
    release.withLock { $0 = true }
    asking.join()
    leaving.join()
    #expect(entered.steps == ["in", "out", "destroyed"])
    #expect(framework.counters.loaded == 0)
  }

  @Test func `threads ask while policies come and go`() throws {
    let lab = try MACLab()
    let framework = lab.framework
    let stop = PosixLock(false)
    let wrong = Life()
    let asking = (0..<3).map { number in
      WorkerThread(named: "ask \(number)") {
        let slot = framework.slot("vnode_check_open")
        while !stop.withLock({ $0 }) {
          let answer = framework.check(slot, 1, 2, 3, 4)
          if answer != 0 && answer != 13 { wrong.note("\(answer)", []) }
        }
      }
    }
    for round in 0..<200 {
      let handle = try lab.register(
        "round \(round)", flags: 2, [MACHandler("vnode_check_open") { _ in 13 }])
      #expect(framework.check(framework.slot("vnode_check_open"), 1) == 13)
      #expect(try framework.unregister(handle) == 0)
    }
    stop.withLock { $0 = true }
    for thread in asking { thread.join() }
    #expect(wrong.steps.isEmpty)
    #expect(framework.counters.loaded == 0)
  }
}
