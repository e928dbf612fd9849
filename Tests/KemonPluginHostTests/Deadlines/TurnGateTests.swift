// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import Testing

@testable import KemonPluginHost

/// Plugins that can be in one call at a time, or in one for each process.
@Suite struct TurnGateTests {
  private static let ample = LimitedCallTests.ample
  private static let short = LimitedCallTests.short

  @Test(arguments: [KEMON_CONC_FREE, KEMON_CONC_SERIAL, KEMON_CONC_PER_SUBJECT])
  func `calls happen one at a time where they must`(concurrency: Int32) {
    let bench = LimitBench()
    let gate = TurnGate(concurrency: UInt32(concurrency))
    let script = Script { _, verdict in
      sched_yield()
      return kemon_allow(verdict)
    }
    // Two handlers of one plugin share its gate.
    let calls = (0..<2).map { _ in bench.call(script, budget: Self.ample, gate: gate) }
    let failures = PosixLock(0)
    let threads = (0..<4)
      .map { number in
        WorkerThread(named: "asker") {
          var question = Question(pid: 100)
          for _ in 0..<200 where question.put(to: calls[number % 2]) != KEMON_OK {
            failures.withLock { $0 += 1 }
          }
        }
      }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0 } == 0)
    #expect(script.calls == 800)
    if concurrency != KEMON_CONC_FREE { #expect(script.mostInside == 1) }
  }

  @Test func `events of two processes are handled at the same time`() {
    let bench = LimitBench()
    // Returns when both are inside.
    let inside = PosixLock(0)
    let script = Script { _, verdict in
      inside.withLock { $0 += 1 }
      while inside.withLock({ $0 }) < 2 { usleep(200) }
      return kemon_allow(verdict)
    }
    let call = bench.call(script, budget: Self.ample, gate: TurnGate(.subject))
    let threads = [Int32(1), 2]
      .map { pid in
        WorkerThread(named: "asker") {
          var question = Question(pid: pid)
          _ = question.put(to: call)
        }
      }
    for thread in threads { thread.join() }
    #expect(script.mostInside == 2)
  }

  @Test func `nobody waits behind a call that is late`() {
    let bench = LimitBench()
    let release = Flag()
    let stuck = Script { _, _ in
      while !release.isSet { usleep(200) }
      return KEMON_OK
    }
    let quick = Script { _, verdict in kemon_allow(verdict) }
    let gate = TurnGate(.plugin)
    let hanging = bench.call(stuck, budget: Self.short, gate: gate)
    let next = bench.call(quick, budget: Self.ample, gate: gate)
    var question = Question()
    #expect(question.put(to: hanging) == StandInStatus.timedOut)
    // The budget of the next one is ten minutes: it is sent away at once.
    #expect(question.put(to: next) == StandInStatus.timedOut)
    #expect(quick.calls == 0)
    release.set()
    while hanging.stuckCalls > 0 { usleep(200) }
    #expect(question.put(to: next) == KEMON_OK)
  }

  @Test func `who waits when a call becomes late is sent away, too`() {
    let bench = LimitBench()
    let (entered, release) = (Flag(), Flag())
    let stuck = Script { _, _ in
      entered.set()
      while !release.isSet { usleep(200) }
      return KEMON_OK
    }
    let quick = Script { _, verdict in kemon_allow(verdict) }
    let gate = TurnGate(.plugin)
    let hanging = bench.call(stuck, budget: 50_000_000, gate: gate)
    let next = bench.call(quick, budget: Self.ample, gate: gate)
    let thread = WorkerThread(named: "asker") {
      var question = Question()
      _ = question.put(to: hanging)
    }
    while !entered.isSet { usleep(200) }
    var question = Question()
    #expect(question.put(to: next) == StandInStatus.timedOut)
    thread.join()
    release.set()
    while hanging.stuckCalls > 0 { usleep(200) }
  }

  @Test func `the budget counts while waiting for the turn`() {
    let gate = TurnGate(.plugin)
    let question = Question()
    let key = gate.key(question.builder.header)
    #expect(gate.enter(key, until: 0) == .granted)
    #expect(gate.enter(key, until: EventClock.monotonic() + Self.short) == .timedOut)
    gate.leave(key)
    #expect(gate.enter(key, until: 0) == .granted)
    let bench = LimitBench()
    let script = Script { _, verdict in kemon_allow(verdict) }
    var other = Question()
    #expect(
      other.put(to: bench.call(script, budget: Self.short, gate: gate)) == StandInStatus.noTurn)
    #expect(script.calls == 0)
    gate.leave(key)
  }

  @Test func `turns come in the order of asking`() {
    let gate = TurnGate(.plugin)
    let question = Question()
    let key = gate.key(question.builder.header)
    #expect(gate.enter(key, until: 0) == .granted)
    let order = PosixLock<[Int]>([])
    var threads: [WorkerThread] = []
    for number in 0..<4 {
      threads.append(
        WorkerThread(named: "waiter") {
          _ = gate.enter(key, until: .max)
          order.withLock { $0.append(number) }
          gate.leave(key)
        })
      while gate.waiting(key) <= number { usleep(200) }
    }
    gate.leave(key)
    for thread in threads { thread.join() }
    #expect(order.withLock { $0 } == [0, 1, 2, 3])
  }
}
