// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import Synchronization
import Testing

@testable import KemonPluginHost

@Suite struct TimerExtensionTests {
  private static let millisecond: UInt64 = 1_000_000

  private func replay(_ times: [UInt64]) throws -> [String] {
    let test = try TestHost(mode: .replay)
    try test.folder.copy(Fixtures.build("timers"), to: "timers.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    for time in times {
      test.clock.advance(to: time * Self.millisecond)
      test.open("/x")
    }
    test.host.stop()
    return test.collector.lines
  }

  @Test func `a replay's timers fire before the first event that is not earlier`() throws {
    #expect(
      try replay([1000, 1004, 1005, 1012, 1100]) == [
        "armed 0 cancelled 0 twice -4 short -1", "event at 1000, clock 1000",
        "from a handler at 1003, clock 1003", "event at 1004, clock 1004",
        "first at 1005, clock 1005", "event at 1005, clock 1005",
        "from a handler at 1007, clock 1007", "from a handler at 1008, clock 1008",
        "tick at 1010, clock 1010", "event at 1012, clock 1012",
        "from a handler at 1015, clock 1015", "tick at 1020, clock 1020",
        "tick at 1030, clock 1030", "event at 1100, clock 1100",
      ])
  }

  @Test func `time that goes back in a recording fires nothing twice`() throws {
    let lines = try replay([1000, 1012, 1001, 1013])
    #expect(lines.count { $0.hasPrefix("tick") } == 1)
    #expect(lines.count { $0.hasPrefix("first") } == 1)
  }

  @Test func `live timers fire, and none does after the stop`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("timers"), to: "timers.so")
    #expect(test.load().problems.isEmpty)
    usleep(20_000)
    #expect(test.collector.lines.count == 1, "not started")
    #expect(test.host.start().isEmpty)
    for _ in 0..<10_000 where test.collector.lines.count < 5 { usleep(1000) }
    test.host.stop()
    let lines = test.collector.lines
    #expect(lines.count == 5)
    #expect(lines.count { $0.hasPrefix("tick") } == 3)
    #expect(test.collector.waiting.dropFirst().allSatisfy { !$0 })
  }

  @Test func `a leap of time does not fire a periodic timer for ever`() {
    let clock = EventClock()
    let timers = EventTimers(clock: clock, mode: .replay)
    let calls = Calls()
    timers.start(1)
    #expect(timers.arm(calls.call, of: 1, delay: 0, period: Self.millisecond) != nil)
    clock.advance(to: 1)
    #expect(calls.count == 1)
    clock.advance(to: 86_400_000 * Self.millisecond)
    #expect(calls.count == 1 + Int(KEMON_TIMER_BURST))
    clock.advance(to: 86_400_001 * Self.millisecond)
    #expect(calls.count == 2 + Int(KEMON_TIMER_BURST))
    timers.stop(1)
    clock.advance(to: 86_400_009 * Self.millisecond)
    #expect(calls.count == 2 + Int(KEMON_TIMER_BURST))
  }

  @Test func `in a replay a call that arms the next one at once does not stop time`() {
    let clock = EventClock()
    let timers = EventTimers(clock: clock, mode: .replay)
    let chain = Chain(timers)
    timers.start(1)
    chain.arm()
    clock.advance(to: 1000 * Self.millisecond)
    #expect(chain.count.load(ordering: .relaxed) == 1)
    clock.advance(to: 1010 * Self.millisecond)
    #expect(chain.count.load(ordering: .relaxed) == 11)
    let wasNamed = chain.wasNamed.load(ordering: .relaxed)
    #expect(wasNamed, "a crash report would name the plugin")
    #expect(HandlerCrumb.current.plugin == 0)
    timers.stop(1)
  }

  @Test func `a plugin has only so many timers, and cancels its own only`() throws {
    let timers = EventTimers(clock: EventClock(), mode: .bench)
    let calls = Calls()
    var ids: [UInt64] = []
    for _ in 0..<EventTimers.countLimit {
      ids.append(try #require(timers.arm(calls.call, of: 1, delay: 0, period: 0)))
    }
    #expect(timers.arm(calls.call, of: 1, delay: 0, period: 0) == nil)
    let other = try #require(timers.arm(calls.call, of: 2, delay: 0, period: 0))
    #expect(!timers.cancel(other, of: 1))
    #expect(timers.cancel(ids[7], of: 1))
    #expect(timers.arm(calls.call, of: 1, delay: 0, period: 0) != nil)
    #expect(calls.count == 0, "no time passes")
  }

  @Test(.timeLimit(.minutes(2)))
  func `after cancel no call of the timer runs, whatever the moment`() {
    let clock = EventClock()
    let timers = EventTimers(clock: clock, mode: .run)
    timers.start(1)
    let threads = (0..<4).map { index in
      WorkerThread(named: "arming \(index)") {
        var random = SeededRandom(seed: UInt64(index))
        for _ in 0..<500 {
          // Its memory goes when cancel has returned: a late call would be seen by the sanitizers.
          let calls = Calls()
          let period = random.next() % 2 * Self.millisecond
          guard
            let id = timers.arm(calls.call, of: 1, delay: random.next() % 100_000, period: period)
          else {
            Issue.record("no room")
            return
          }
          if random.next() % 2 == 0 { usleep(UInt32(random.next() % 150)) }
          _ = timers.cancel(id, of: 1)
          calls.end()
        }
      }
    }
    for thread in threads { thread.join() }
    timers.stop(1)
    timers.close()
  }
}

/// Counts the calls of a timer, and fails when one comes too late.
private final class Calls: Sendable {
  private let number = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  var count: Int { number.load(ordering: .relaxed) }

  func end() { isOver.store(true, ordering: .relaxed) }

  var call: EventTimers.Call {
    EventTimers.Call(
      function: { context, _ in
        guard let context else { return }
        Unmanaged<Calls>.fromOpaque(context)._withUnsafeGuaranteedRef { calls in
          if calls.isOver.load(ordering: .relaxed) { Issue.record("called after cancel") }
          calls.number.wrappingAdd(1, ordering: .relaxed)
        }
      }, context: Unmanaged.passUnretained(self).toOpaque(), pluginID: 7)
  }
}

/// A timer that arms the next one at once.
private final class Chain: Sendable {
  let timers: EventTimers
  let count = Atomic<Int>(0)
  let wasNamed = Atomic<Bool>(true)

  init(_ timers: EventTimers) { self.timers = timers }

  func arm() {
    let call = EventTimers.Call(
      function: { context, _ in
        guard let context else { return }
        Unmanaged<Chain>.fromOpaque(context)._withUnsafeGuaranteedRef { chain in
          let crumb = HandlerCrumb.current
          if crumb.plugin != 7 || crumb.isInHandler {
            chain.wasNamed.store(false, ordering: .relaxed)
          }
          chain.count.wrappingAdd(1, ordering: .relaxed)
          chain.arm()
        }
      }, context: Unmanaged.passUnretained(self).toOpaque(), pluginID: 7)
    #expect(timers.arm(call, of: 1, delay: 0, period: 0) != nil)
  }
}
