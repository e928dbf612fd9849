// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import KemonHooks
import Synchronization
import Testing

@Suite(.serialized) struct EntryHookTests {
  @Test func `pre and post are called once per call, with arguments and result`() throws {
    let probe = Probe()
    try hooking("fixture_add_calls", probe) {
      #expect(fixture_add_calls(1, 2, 3, 4, 5, 6) == 21)
      #expect(probe.preCount == 1)
      #expect(probe.postCount == 1)
      #expect(probe.seenFirst == 1)
      #expect(probe.seenSecond == 2)
      #expect(probe.seenResult == 21)
    }
    #expect(fixture_add_calls(1, 2, 3, 4, 5, 6) == 21)
    #expect(probe.preCount == 1, "the hook is out")
  }

  @Test func `a skipped original is not run, and post still is`() throws {
    let probe = Probe(skipResult: 77)
    try hooking("fixture_add_skip", probe) {
      #expect(fixture_add_skip(1, 2, 3, 4, 5, 6) == 77)
      #expect(probe.postCount == 1)
      #expect(probe.skipCount == 1)
    }
  }

  @Test func `changed arguments reach the original`() throws {
    try hooking("fixture_add_change", Probe(newArgument: 100)) {
      #expect(fixture_add_change(1, 2, 3, 4, 5, 6) == 120)
    }
  }

  @Test func `a replaced result reaches the caller`() throws {
    try hooking("fixture_add_replace", Probe(addend: 1000)) {
      #expect(fixture_add_replace(1, 2, 3, 4, 5, 6) == 1021)
    }
  }

  @Test func `arguments on the stack are passed on`() throws {
    try hooking("fixture_sum10", Probe()) {
      #expect(fixture_sum10(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 385)
    }
  }

  @Test func `a handler sees and changes arguments on the stack`() throws {
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_sum10"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(pre: { _, frame in
        frame.pointee.stack_arguments[3] += 1  // the tenth
        return Int32(CKEMON_PROCEED)
      }))
    #expect(fixture_sum10(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 395)
    try hook.detach()
  }

  @Test func `vector arguments and results survive handlers that dirty every register`() throws {
    let probe = Probe()
    try hooking("fixture_sum8d", probe) {
      #expect(fixture_sum8d(1, 2, 3, 4, 5, 6, 7, 8) == 204)
      #expect(probe.postCount == 1)
    }
  }

  @Test func `x87 values and structs by value survive`() throws {
    let probe = Probe()
    for (address, works) in [
      (fixture_long_double_address, fixture_long_double_works),
      (fixture_big_struct_address, fixture_big_struct_works),
    ] {
      let hook = try HookEngine.attach(
        entry: try #require(address), HookOptions(safety: .quiescent), handlers: probe.handlers)
      #expect(works() == 1)
      try hook.detach()
    }
    #expect(probe.postCount == 2)
  }

  @Test func `a variadic call keeps its number of vector arguments`() throws {
    try hooking("fixture_sum_variadic", Probe()) { #expect(fixture_sum_variadic_of_4() == 4321) }
  }

  @Test(.enabled(if: ckemon_has_wide_vectors() != 0, "the processor has no AVX"))
  func `32-byte vectors survive`() throws {
    let numbers: [Int32] = [1, 2, 4, 8, 16, 32, 64, 128]
    let probe = Probe()
    try hooking("fixture_ymm_callee", probe) {
      #expect(fixture_ymm_sum(numbers) == 255)
      #expect(probe.postCount == 1)
    }
  }

  @Test func `unwinding from a handler reaches the caller of the function`() throws {
    let found = Counter()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_sum_variadic"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { context, _ in
          guard let context, let start = fixture_address("fixture_sum_variadic_of_4") else {
            return Int32(CKEMON_PROCEED)
          }
          let found = Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue()
          if fixture_frames_in(start, 128) == 1 { found.add() }
          return Int32(CKEMON_PROCEED)
        }, context: Unmanaged.passUnretained(found).toOpaque()))
    #expect(fixture_sum_variadic_of_4() == 4321)
    try hook.detach()
    #expect(found.value == 1)
  }

  @Test func `the program's own return address is in the frame`() throws {
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_return_address"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        post: { _, frame in frame.pointee.result = frame.pointee.return_address }))
    let hooked = UInt(bitPattern: fixture_return_address())
    try hook.detach()
    let extent = try #require(
      UnsafeRawPointer(bitPattern: hooked).flatMap(FunctionExtent.init(containing:)))
    #expect(extent.size > 0)
  }

  @Test(arguments: ["cbrt", "erf", "j0", "expm1", "tgamma", "log1p", "asinh"])
  func `functions of the C library give the same results`(_ name: String) throws {
    typealias Function = @convention(c) (Double) -> Double
    let address = try #require(dlsym(nil, name))
    let function = unsafeBitCast(address, to: Function.self)
    let inputs = (1..<200).map { Double($0) / 7 }
    let plain = inputs.map { function($0) }
    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: address, HookOptions(safety: .quiescent), handlers: probe.handlers)
    let hooked = inputs.map { function($0) }
    try hook.detach()
    #expect(hooked.map(\.bitPattern) == plain.map(\.bitPattern))
    #expect(probe.postCount >= inputs.count)
  }

  @Test func `both registers of a result survive, and post may change both`() throws {
    try hooking("fixture_swap", Probe(addend: 5)) {
      let pair = fixture_swap(1, 2)
      #expect(pair.first == 7)
      #expect(pair.second == 1)
    }
  }

  @Test func `recursive calls are calls`() throws {
    let probe = Probe()
    try hooking("fixture_fibonacci", probe) {
      #expect(fixture_fibonacci(10) == 55)
      #expect(probe.preCount == 177)
      #expect(probe.postCount == 177)
    }
  }

  @Test func `calls far deeper than a thread can note are counted too`() throws {
    // Each level of the recursion is a call through the hook that has not left.
    let probe = Probe()
    try hooking("fixture_depth", probe) {
      #expect(fixture_depth(1200) == 1200)
      #expect(probe.preCount == 1201)
      #expect(probe.postCount == 1201)
      #expect(fixture_depth(3) == 3)
    }
  }

  @Test func `what pre remembers of a call is there in post`() throws {
    let wrong = Counter()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_scratch"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { _, frame in
          frame.pointee.scratch.3 = frame.pointee.rdi &* 3
          return frame.pointee.scratch.0 == 0 ? Int32(CKEMON_PROCEED) : Int32(CKEMON_SKIP)
        },
        post: { context, frame in
          guard let context else { return }
          let wrong = Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue()
          if frame.pointee.scratch.3 != (frame.pointee.result &- 20) &* 3 { wrong.add() }
        }, context: Unmanaged.passUnretained(wrong).toOpaque()))
    for first in 0..<100 { #expect(fixture_add_scratch(first, 2, 3, 4, 5, 6) == first + 20) }
    try hook.detach()
    #expect(wrong.value == 0)
  }

  @Test func `eight threads call a hooked function, and every call is seen`() throws {
    let probe = Probe(addend: 1)
    try hooking("fixture_add_threads", probe) {
      onThreads(8) { index in
        for call in 0..<5000 where fixture_add_threads(index, call, 0, 0, 0, 0) != index + call + 1
        {
          Issue.record("a wrong result")
          break
        }
      }
      #expect(probe.preCount == 40_000)
      #expect(probe.postCount == 40_000)
    }
  }

  @Test func `detach restores the bytes exactly`() throws {
    let before = try bytes("fixture_add_bytes", count: 48)
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_bytes"), HookOptions(safety: .quiescent),
      handlers: Probe().handlers)
    let during = try bytes("fixture_add_bytes", count: 48)
    #expect(during[0] == 0xE9)
    #expect(Array(during[5...]) == Array(before[5...]))
    try hook.detach()
    #expect(try bytes("fixture_add_bytes", count: 48) == before)
    try hook.detach()
  }

  @Test func `a hook without handlers changes nothing`() throws {
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_bytes"), HookOptions(safety: .quiescent),
      handlers: HookHandlers())
    #expect(fixture_add_bytes(1, 2, 3, 4, 5, 6) == 21)
    try hook.detach()
  }

  @Test func `detach returns only when the last call in flight has left`() throws {
    final class Shared: @unchecked Sendable {
      let words = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
      let counted = Counter()
      let detached = Counter()
      let postSawDetached = Counter()
      let postCount = Counter()
      init() { words.initialize(repeating: 0, count: 2) }
      deinit { words.deallocate() }

      private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<Int32>> {
        UnsafeMutableRawPointer(words + index).assumingMemoryBound(to: Atomic<Int32>.self)
      }
      var isEntered: Bool { word(1).pointee.load(ordering: .sequentiallyConsistent) != 0 }
      func release() { word(0).pointee.store(1, ordering: .sequentiallyConsistent) }
    }
    let shared = Shared()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_wait_for"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        post: { context, _ in
          guard let context else { return }
          let shared = Unmanaged<Shared>.fromOpaque(context).takeUnretainedValue()
          if shared.detached.value != 0 { shared.postSawDetached.add() }
          shared.postCount.add()
        }, context: Unmanaged.passUnretained(shared).toOpaque()))
    onThreads(3) { role in
      switch role {
      case 0: fixture_wait_for(shared.words, shared.words + 1)
      case 1:
        while !shared.isEntered { sleepMilliseconds(1) }
        #expect(hook.callsInFlight == 1)
        shared.counted.add()
        do { try hook.detach() } catch { Issue.record(error) }
        shared.detached.add()
      default:
        // Not before the call in flight was counted, however slow the machine is.
        while shared.counted.value == 0 { sleepMilliseconds(1) }
        sleepMilliseconds(50)
        #expect(shared.detached.value == 0)
        shared.release()
      }
    }
    #expect(shared.postCount.value == 1)
    #expect(shared.postSawDetached.value == 0)
    #expect(hook.callsInFlight == 0)
  }

  @Test(arguments: [
    ("fixture_endbr", 41, 42), ("fixture_rip_load", 1, 1001), ("fixture_short_jcc", 0, 7),
    ("fixture_short_jcc", 3, 3), ("fixture_short_jmp", 21, 42), ("fixture_near_call", 1, 6),
    ("fixture_jrcxz", 0, 1), ("fixture_loop_back", 9, 9), ("fixture_loop_entry", 9, 3),
    ("fixture_big_immediate", 1, 0x1122_3344_5566_7789),
  ]) func `beginnings that need rewriting work`(
    _ name: String, _ argument: Int, _ result: Int
  ) throws {
    typealias Function = @convention(c) (Int, Int, Int, Int) -> Int
    let function = unsafeBitCast(try fixture(name), to: Function.self)
    let probe = Probe(addend: 100)
    #expect(function(argument, 0, 0, 0) == result)
    try hooking(name, probe) {
      #expect(function(argument, 0, 0, 0) == result + 100)
      #expect(probe.postCount == 1)
    }
    #expect(function(argument, 0, 0, 0) == result)
  }

  @Test func `endbr64 stays where it is`() throws {
    try hooking("fixture_endbr", Probe()) {
      let found = try bytes("fixture_endbr", count: 5)
      #expect(found == [0xF3, 0x0F, 0x1E, 0xFA, 0xE9])
    }
  }

  @Test func `a single long instruction may be replaced while threads call the function`() throws {
    typealias Function = @convention(c) (Int) -> Int
    nonisolated(unsafe) let address = try fixture("fixture_rip_load")
    let function = unsafeBitCast(address, to: Function.self)
    let probe = Probe()
    let wrong = Counter()
    onThreads(4) { role in
      if role == 0 {
        for _ in 0..<200 {
          do {
            let hook = try HookEngine.attach(entry: address, handlers: probe.handlers)
            try hook.detach()
          } catch {
            Issue.record(error)
          }
        }
      } else {
        for number in 0..<100_000 where function(number) != number + 1000 { wrong.add() }
      }
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
  }

  @Test func `a hook knows which instructions it replaced`() throws {
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_short_jmp"), HookOptions(safety: .quiescent),
      handlers: HookHandlers())
    #expect(hook.replaced.map(\.text).first == "LEA RAX, [RDI+RDI]")
    try hook.detach()
  }
}
