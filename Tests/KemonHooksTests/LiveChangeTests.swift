// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import KemonHooks
import Synchronization
import Testing

@Suite(.serialized) struct LiveChangeTests {
  private struct Subject: Sendable {
    let name: String
    let call: @Sendable (Int) -> Int
    let expected: @Sendable (Int) -> Int
  }

  private static func assembly(_ name: String) -> @Sendable (Int) -> Int {
    let address = fixture_address(name)
    return unsafeBitCast(address, to: (@convention(c) @Sendable (Int) -> Int).self)
  }

  private static let subjects = [
    Subject(
      name: "fixture_add_busy", call: { fixture_add_busy($0, 1, 2, 3, 4, 5) },
      expected: { $0 + 15 }),
    Subject(
      name: "fixture_live_short_jcc", call: assembly("fixture_live_short_jcc"), expected: { $0 }),
    Subject(name: "fixture_live_endbr", call: assembly("fixture_live_endbr"), expected: { $0 + 1 }),
    Subject(
      name: "fixture_live_loop_back", call: { assembly("fixture_live_loop_back")($0 & 63 | 1) },
      expected: { $0 & 63 | 1 }),
  ]

  @Test(arguments: subjects.indices)
  func `hooks come and go while threads call the function`(_ index: Int) throws {
    let subject = Self.subjects[index]
    nonisolated(unsafe) let address = try fixture(subject.name)
    let before = try bytes(subject.name)
    let probe = Probe()
    let wrong = Counter()
    let done = Counter()
    let calls = Atomic<Int>(0)
    onThreads(5) { role in
      if role == 0 {
        for _ in 0..<150 {
          do {
            let hook = try HookEngine.attach(entry: address, handlers: probe.handlers)
            usleep(50)
            try hook.detach()
          } catch {
            Issue.record(error)
          }
        }
        done.add()
      } else {
        var number = 1
        while done.value == 0 {
          if subject.call(number) != subject.expected(number) { wrong.add() }
          number += 1
          // One of them sleeps now and then, and must not notice.
          if role == 4, number % 64 == 0, usleep(20) != 0 { wrong.add() }
        }
        calls.add(number, ordering: .relaxed)
      }
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
    #expect(probe.preCount > 0)
    #expect(calls.load(ordering: .relaxed) > 0)
    #expect(try bytes(subject.name) == before)
  }

  @Test func `sleeping threads are left asleep and see no interrupted call`() throws {
    nonisolated(unsafe) let address = try fixture("fixture_add_sleepy")
    let stop = Counter()
    let interrupted = Counter()
    let asleep = Counter()
    onThreads(4) { role in
      if role == 0 {
        usleep(20_000)
        for _ in 0..<50 {
          do {
            var transaction = HookTransaction()
            transaction.attach(entry: address, handlers: HookHandlers())
            let outcome = try transaction.commit()
            if outcome.stop.asleep >= 3 { asleep.add() }
            try outcome.hooks[0].detach()
          } catch {
            Issue.record(error)
          }
          usleep(500)
        }
        stop.add()
      } else {
        while stop.value == 0 {
          var time = timespec(tv_sec: 0, tv_nsec: 2_000_000)
          switch role {
          case 1: if nanosleep(&time, nil) != 0 { interrupted.add() }
          case 2: if poll(nil, 0, 2) != 0 { interrupted.add() }
          default:
            var wait = timeval(tv_sec: 0, tv_usec: 3000)
            if select(0, nil, nil, nil, &wait) != 0 { interrupted.add() }
          }
          _ = fixture_add_sleepy(1, 2, 3, 4, 5, 6)
        }
      }
    }
    #expect(interrupted.value == 0)
    #expect(asleep.value > 0)
  }
}
