// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import Testing

@testable import KemonPluginHost

/// Handlers with a budget: answered in time, or without them.
@Suite struct LimitedCallTests {
  /// Long enough that it never ends.
  static let ample: UInt64 = 600_000_000_000
  /// So short that it is over before a handler that waits for something else.
  static let short: UInt64 = 5_000_000

  @Test func `an answer in time is the handler's, given on another thread about a copy`() {
    let bench = LimitBench()
    let caller = pthread_self()
    var question = Question()
    let original = UInt(bitPattern: question.builder.header)
    let script = Script { event, verdict in
      guard pthread_self() != caller, UInt(bitPattern: event) != original,
        Question.path(of: event) == "/etc/hosts"
      else { return -9 }
      return kemon_deny(verdict, 13, "not that one")
    }
    let call = bench.call(script, budget: Self.ample)
    #expect(question.put(to: call) == KEMON_OK)
    #expect(question.verdict.action == UInt16(KEMON_DENY) && question.verdict.err == 13)
    #expect(withUnsafeBytes(of: question.verdict.reason) { $0.cString } == "not that one")
    for _ in 0..<100 { #expect(question.put(to: call) == KEMON_OK) }
    #expect(script.calls == 101 && bench.lanes.made == 1)
    let failing = bench.call(Script { _, _ in -7 }, budget: Self.ample)
    #expect(question.put(to: failing) == -7)
  }

  @Test func `who does not answer is not waited for, and what it says later counts for nothing`() {
    let bench = LimitBench()
    let release = Flag()
    let seen = PosixLock<[String]>([])
    let script = Script { event, verdict in
      while !release.isSet { usleep(200) }
      seen.withLock { $0.append(Question.path(of: event)) }
      return kemon_deny(verdict, 13, "late")
    }
    let call = bench.call(script, budget: Self.short)
    var question = Question(path: "/as/it/was")
    #expect(question.put(to: call) == StandInStatus.timedOut)
    #expect(question.verdict.action == UInt16(KEMON_ABSTAIN))
    #expect(call.stuckCalls == 1 && bench.standing.report.lateAnswers == 0)
    // The buffer of the event is used again while the handler still reads it.
    question.ask(about: "/something/else")
    release.set()
    while call.stuckCalls > 0 { usleep(200) }
    #expect(seen.withLock { $0 } == ["/as/it/was"])
    #expect(bench.standing.report.lateAnswers == 1)
    #expect(question.verdict.action == UInt16(KEMON_ABSTAIN))
  }

  @Test func `a stuck lane is replaced, and comes back when its call returns`() {
    let bench = LimitBench()
    let release = Flag()
    let stuck = Script { _, _ in
      while !release.isSet { usleep(200) }
      return KEMON_OK
    }
    let quick = Script { _, verdict in kemon_allow(verdict) }
    var question = Question()
    let (hanging, answering) = (
      bench.call(stuck, budget: Self.short), bench.call(quick, budget: Self.ample)
    )
    #expect(question.put(to: hanging) == StandInStatus.timedOut)
    for _ in 0..<10 { #expect(question.put(to: answering) == KEMON_OK) }
    #expect(bench.lanes.made == 2)
    release.set()
    while hanging.stuckCalls > 0 { usleep(200) }
    for _ in 0..<10 { #expect(question.put(to: answering) == KEMON_OK) }
    #expect(bench.lanes.made == 2)
  }

  @Test func `a handler with too many calls that hang is not called`() {
    let bench = LimitBench()
    let release = Flag()
    let stuck = Script { _, _ in
      while !release.isSet { usleep(200) }
      return KEMON_OK
    }
    let call = bench.call(stuck, budget: Self.short)
    var question = Question()
    for _ in 0..<20 { #expect(question.put(to: call) == StandInStatus.timedOut) }
    #expect(stuck.calls == LimitedCall.stuckLimit && bench.lanes.made == LimitedCall.stuckLimit)
    release.set()
    while call.stuckCalls > 0 { usleep(200) }
    #expect(bench.standing.report.lateAnswers == UInt64(LimitedCall.stuckLimit))
  }

  @Test func `an event whose deadline has passed asks nobody`() {
    let bench = LimitBench()
    let script = Script { _, verdict in kemon_allow(verdict) }
    let call = bench.call(script, budget: Self.ample)
    bench.clock.set(1000)
    var question = Question()
    question.builder.header.pointee.deadline_ns = 1000
    #expect(question.put(to: call) == StandInStatus.noTurn)
    #expect(script.calls == 0)
    question.builder.header.pointee.deadline_ns = 1000 + Self.ample
    #expect(question.put(to: call) == KEMON_OK)
  }

  @Test func `four fifths of the time until the deadline are the handler's`() {
    let second: UInt64 = 1_000_000_000
    func allowance(_ budget: UInt64, _ left: UInt64) -> UInt64 {
      CallBudget.allowance(budget, deadline: 5 * second + left, now: 5 * second)
    }
    #expect(CallBudget.allowance(7, deadline: 0, now: 5) == 7)
    #expect(CallBudget.allowance(7, deadline: 5, now: 5) == 0)
    #expect(CallBudget.allowance(7, deadline: 4, now: 5) == 0)
    #expect(allowance(60 * second, 10 * second) == 8 * second)
    #expect(allowance(second, 10 * second) == second, "never more than the budget")
    #expect(allowance(600 * second, 100 * second) == 95 * second, "the host needs no more than 5 s")
    #expect(allowance(second, 300_000) == 200_000, "nor less than 100 µs")
    #expect(allowance(second, 100_000) == 0)
  }

  @Test func `handlers that answer at the very end are counted once, as answered or as late`() {
    let bench = LimitBench()
    let budget: UInt64 = 200_000
    let script = Script { event, verdict in
      // Until about the moment of the deadline, which the event's own clock says: a little before, a little after.
      let end = event.pointee.corr
      while EventClock.monotonic() < end {}
      return kemon_deny(verdict, 13, "")
    }
    let call = bench.call(script, budget: budget)
    let rounds = 1500
    let counts = PosixLock<(answered: Int, late: Int, wrong: Int)>((0, 0, 0))
    let threads = (0..<2)
      .map { number in
        WorkerThread(named: "asker") {
          var question = Question()
          for round in 0..<rounds {
            question.verdict.action = UInt16(KEMON_ABSTAIN)
            let jitter = UInt64((round * 7 + number) % 40) * 1000
            question.builder.header.pointee.corr =
              EventClock.monotonic() + budget - 20_000 + jitter
            let status = question.put(to: call)
            let isDenied = question.verdict.action == UInt16(KEMON_DENY)
            counts.withLock { counts in
              switch (status, isDenied) {
              case (KEMON_OK, true): counts.answered += 1
              case (StandInStatus.timedOut, false): counts.late += 1
              default: counts.wrong += 1
              }
            }
          }
        }
      }
    for thread in threads { thread.join() }
    while call.stuckCalls > 0 { usleep(200) }
    let (answered, late, wrong) = counts.withLock { $0 }
    #expect(wrong == 0)
    #expect(answered + late == 2 * rounds)
    // Calls that were refused because others were stuck are late without having been made.
    let refused = 2 * rounds - script.calls
    #expect(bench.standing.report.lateAnswers == UInt64(late - refused))
    #expect(answered == script.calls - (late - refused))
  }
}
