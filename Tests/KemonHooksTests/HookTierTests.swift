// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import Testing

@testable import KemonHooks

/// The ways to hook what has no room for a long jump.
@Suite(.serialized) struct HookTierTests {
  private func traps(_ safety: PatchSafety = .live) -> HookOptions {
    HookOptions(safety: safety, allowsTraps: true)
  }

  @Test func `a short jump over padding leaves the third byte to a neighbour`() throws {
    let address = try fixture("fixture_jumped_into")
    let plan = try HookEngine.plan(entry: address)
    #expect(plan.tier == .cave)
    #expect(plan.original.count == 2)
    let before = try bytes("fixture_jumped_into", count: 256)
    let probe = Probe(newArgument: 7, addend: 1000)
    let hook = try HookEngine.attach(entry: address, handlers: probe.handlers)
    #expect(fixture_jumped_into(1) == 1012)
    #expect(fixture_jumps_into_next(1) == 106)
    #expect(probe.preCount == 1 && probe.postCount == 1)
    #expect(try bytes("fixture_jumped_into", count: 1) == [0xEB])
    try hook.detach()
    #expect(fixture_jumped_into(1) == 6)
    #expect(try bytes("fixture_jumped_into", count: 256) == before, "the padding, too")
    let again = try HookEngine.attach(entry: address, handlers: probe.handlers)
    #expect(fixture_jumped_into(1) == 1012)
    try again.detach()
  }

  @Test func `a replacement goes through the padding, too`() throws {
    let before = try bytes("fixture_jumped_into", count: 256)
    let replacement = try HookEngine.replace(
      entry: try fixture("fixture_jumped_into"), with: try fixture("fixture_jumped_into_early"))
    #expect(fixture_jumped_into(1) == 6)
    #expect(fixture_jumps_into_next(1) == 106)
    typealias Function = @convention(c) (Int) -> Int
    #expect(unsafeBitCast(replacement.original, to: Function.self)(2) == 7)
    try replacement.restore()
    #expect(try bytes("fixture_jumped_into", count: 256) == before)
  }

  @Test func `threads that call the function do not notice its short jump come and go`() throws {
    nonisolated(unsafe) let address = try fixture("fixture_jumped_into")
    let before = try bytes("fixture_jumped_into", count: 256)
    let probe = Probe()
    let wrong = Counter()
    let done = Counter()
    onThreads(3) { role in
      guard role == 0 else {
        while done.value == 0 {
          if fixture_jumped_into(role) != role + 5 { wrong.add() }
          if fixture_jumps_into_next(role) != role + 105 { wrong.add() }
        }
        return
      }
      for _ in 0..<100 {
        do {
          var coming = HookTransaction()
          coming.attach(entry: address, handlers: probe.handlers)
          // A busy machine lets threads wait for their turn.
          coming.timeoutMilliseconds = 60_000
          let hook = try coming.commit().hooks[0]
          usleep(50)
          var going = HookTransaction()
          going.detach(hook)
          going.timeoutMilliseconds = 60_000
          _ = try going.commit()
        } catch {
          Issue.record(error)
        }
      }
      done.add()
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
    #expect(try bytes("fixture_jumped_into", count: 256) == before)
  }

  @Test func `a breakpoint takes one byte, and only where it is allowed`() throws {
    let address = try fixture("fixture_jumped_into_early")
    let before = try bytes("fixture_jumped_into_early")
    #expect(throws: HookError.self) { try HookEngine.plan(entry: address) }
    #expect(try HookEngine.plan(entry: address, traps()).tier == .trap)
    let probe = Probe(newArgument: 7, addend: 1000)
    let hook = try HookEngine.attach(entry: address, traps(), handlers: probe.handlers)
    let after = try bytes("fixture_jumped_into_early")
    #expect(after == [0xCC] + before.dropFirst())
    #expect(fixture_jumped_into_early(1) == 1012)
    #expect(fixture_jumps_into_second_byte(1) == 106)
    #expect(probe.preCount == 1 && probe.postCount == 1)
    try hook.detach()
    #expect(try bytes("fixture_jumped_into_early") == before)
    #expect(fixture_jumped_into_early(1) == 6)
  }

  @Test func `a breakpoint comes and goes while threads call the function`() throws {
    nonisolated(unsafe) let address = try fixture("fixture_jumped_into_early")
    let probe = Probe()
    let wrong = Counter()
    let done = Counter()
    onThreads(3) { role in
      guard role == 0 else {
        while done.value == 0 {
          if fixture_jumped_into_early(role) != role + 5 { wrong.add() }
        }
        return
      }
      for _ in 0..<100 {
        do {
          let options = HookOptions(allowsTraps: true)
          try HookEngine.attach(entry: address, options, handlers: probe.handlers).detach()
        } catch {
          Issue.record(error)
        }
      }
      done.add()
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
  }

  @Test func `breakpoints of the program reach its own handler`() async {
    await #expect(processExitsWith: .exitCode(3)) {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in _exit(3) }
      sigaction(SIGTRAP, &action, nil)
      let address = try fixture("fixture_jumped_into_early")
      let probe = Probe()
      try HookEngine.attach(
        entry: address, HookOptions(allowsTraps: true), handlers: probe.handlers)
      guard fixture_jumped_into_early(1) == 6, probe.postCount == 1 else { _exit(4) }
      raise(SIGTRAP)
      _exit(5)
    }
  }

  @Test func `a hook of the same function finds its breakpoint or short jump`() throws {
    for name in ["fixture_jumped_into", "fixture_jumped_into_early"] {
      let address = try fixture(name)
      let first = Probe()
      let second = Probe()
      let hooks = try [first, second].map {
        try HookEngine.attach(entry: address, traps(), handlers: $0.handlers)
      }
      typealias Function = @convention(c) (Int) -> Int
      #expect(unsafeBitCast(address, to: Function.self)(1) == 6)
      try hooks[0].detach()
      #expect(unsafeBitCast(address, to: Function.self)(1) == 6)
      try hooks[1].detach()
      #expect(first.postCount == 1)
      #expect(second.postCount == 2)
    }
  }
}
