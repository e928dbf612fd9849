// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import KemonHooks
import Testing

/// What handlers did, in order; for one thread.
private final class Log {
  var lines: [String] = []
}

/// A handler with a name, which it writes down.
private final class Named {
  let name: String
  let log: Log
  let answer: Int32

  init(_ name: String, _ log: Log, answer: Int32 = Int32(CKEMON_PROCEED)) {
    self.name = name
    self.log = log
    self.answer = answer
  }

  var handlers: HookHandlers {
    HookHandlers(
      pre: { context, frame in
        guard let context else { return Int32(CKEMON_PROCEED) }
        let named = Unmanaged<Named>.fromOpaque(context).takeUnretainedValue()
        named.log.lines.append("pre \(named.name)")
        frame.pointee.scratch.0 &+= UInt64(named.name.utf8.first ?? 0)
        return named.answer
      },
      post: { context, frame in
        guard let context else { return }
        let named = Unmanaged<Named>.fromOpaque(context).takeUnretainedValue()
        let remembers = frame.pointee.scratch.0 == UInt64(named.name.utf8.first ?? 0)
        named.log.lines.append("post \(named.name)\(remembers ? "" : "?")")
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }
}

@Suite(.serialized) struct HookStackTests {
  @Test func `several hooks of a function are called in order, and leave in any order`() throws {
    let address = try fixture("fixture_add_order")
    let before = try bytes("fixture_add_order")
    let log = Log()
    let handlers = ["a", "b", "c"].map { Named($0, log) }
    let b = try HookEngine.attach(entry: address, handlers: handlers[1].handlers)
    let c = try HookEngine.attach(
      entry: address, HookOptions(order: 5), handlers: handlers[2].handlers)
    let a = try HookEngine.attach(
      entry: address, HookOptions(order: -5), handlers: handlers[0].handlers)
    func call() -> [String] {
      log.lines = []
      #expect(fixture_add_order(1, 2, 3, 4, 5, 6) == 21)
      return log.lines
    }
    #expect(call() == ["pre a", "pre b", "pre c", "post c", "post b", "post a"])
    try b.detach()
    #expect(call() == ["pre a", "pre c", "post c", "post a"])
    try b.detach()
    try a.detach()
    #expect(call() == ["pre c", "post c"])
    #expect(try bytes("fixture_add_order") != before)
    try c.detach()
    #expect(call() == [])
    #expect(try bytes("fixture_add_order") == before)
    withExtendedLifetime(handlers) {}
  }

  @Test func `a pre handler that skips keeps later ones from being asked`() throws {
    let address = try fixture("fixture_add_order")
    let log = Log()
    let handlers = [
      Named("a", log), Named("b", log, answer: Int32(CKEMON_SKIP)), Named("c", log),
    ]
    let hooks = try handlers.map { try HookEngine.attach(entry: address, handlers: $0.handlers) }
    #expect(fixture_add_order(1, 2, 3, 4, 5, 6) == 0)
    #expect(log.lines == ["pre a", "pre b", "post b", "post a"])
    for hook in hooks { try hook.detach() }
    withExtendedLifetime(handlers) {}
  }

  @Test func `without post handlers the call returns to the program itself`() throws {
    let counter = Counter()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_return_address"),
      handlers: HookHandlers(
        pre: { context, _ in
          guard let context else { return Int32(CKEMON_PROCEED) }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().add()
          fixture_dirty_vectors()
          return Int32(CKEMON_PROCEED)
        }, context: Unmanaged.passUnretained(counter).toOpaque()))
    let address = UInt(bitPattern: fixture_return_address())
    try hook.detach()
    #expect(counter.value == 1)
    let extent = try #require(
      UnsafeRawPointer(bitPattern: address).flatMap(FunctionExtent.init(containing:)))
    #expect(extent.range.contains(address), "in the test, not in a thunk")
  }

  @Test func `arguments survive a pre handler alone`() throws {
    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_sum8d"),
      handlers: HookHandlers(
        pre: { _, _ in
          fixture_dirty_vectors()
          return Int32(CKEMON_PROCEED)
        }))
    #expect(fixture_sum8d(1, 2, 3, 4, 5, 6, 7, 8) == 204)
    try hook.detach()
    withExtendedLifetime(probe) {}
  }

  @Test func `a handler's own calls of the function are counted and not seen`() throws {
    let probe = Counter()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_nested"),
      handlers: HookHandlers(
        pre: { context, _ in
          guard let context else { return Int32(CKEMON_PROCEED) }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().add()
          return fixture_add_nested(1, 1, 1, 1, 1, 1) == 6
            ? Int32(CKEMON_PROCEED) : Int32(CKEMON_SKIP)
        },
        post: { _, frame in frame.pointee.result &+= UInt64(fixture_add_nested(1, 0, 0, 0, 0, 0)) },
        context: Unmanaged.passUnretained(probe).toOpaque()))
    #expect(fixture_add_nested(1, 2, 3, 4, 5, 6) == 22)
    #expect(probe.value == 1)
    #expect(hook.suppressedCalls == 2)
    try hook.detach()
  }

  @Test func `a function that takes another's place can call it`() throws {
    final class Box: @unchecked Sendable { var original: UInt = 0 }
    // A replacement is a plain C function: what it needs is global.
    struct Global { nonisolated(unsafe) static var original: UInt = 0 }
    typealias Function = @convention(c) (Int, Int, Int, Int, Int, Int) -> Int
    let detour: Function = { a, b, c, d, e, f in
      unsafeBitCast(Global.original, to: Function.self)(a, b, c, d, e, f) * 2
    }
    let before = try bytes("fixture_add_swapped")
    for _ in 0..<3 {
      let replacement = try HookEngine.replace(
        entry: try fixture("fixture_add_swapped"),
        with: unsafeBitCast(detour, to: UnsafeRawPointer.self))
      Global.original = replacement.original
      #expect(fixture_add_swapped(1, 2, 3, 4, 5, 6) == 42)
      try replacement.restore()
      try replacement.restore()
      #expect(fixture_add_swapped(1, 2, 3, 4, 5, 6) == 21)
    }
    #expect(try bytes("fixture_add_swapped") == before)
  }

  @Test func `a function of a library is hooked by its name`() throws {
    let probe = Probe(addend: 1)
    let hook = try HookEngine.attach(symbol: "labs", in: "libc.so.6", handlers: probe.handlers)
    let function = unsafeBitCast(
      try HookEngine.address(of: "labs"), to: (@convention(c) (Int) -> Int).self)
    #expect(function(-41) == 42)
    try hook.detach()
    #expect(function(-41) == 41)
    for (symbol, library) in [("labs", "libnothing.so.1"), ("no_such_function", "libc.so.6")] {
      let error = try #require(throws: HookError.self) {
        try HookEngine.attach(symbol: symbol, in: library, handlers: HookHandlers())
      }
      #expect(error.code == .notFound)
    }
  }

  @Test func `a transaction is all or nothing`() throws {
    let before = try bytes("fixture_add_order")
    var transaction = HookTransaction()
    transaction.attach(entry: try fixture("fixture_add_order"), handlers: HookHandlers())
    transaction.attach(entry: try fixture("fixture_tiny_before_data"), handlers: HookHandlers())
    let error = try #require(throws: HookError.self) { try transaction.commit() }
    #expect(error.code == .tooShort)
    #expect(try bytes("fixture_add_order") == before)
    var good = HookTransaction()
    let probe = Probe()
    for name in ["fixture_add_order", "fixture_add_pre", "fixture_sum10"] {
      good.attach(entry: try fixture(name), handlers: probe.handlers)
    }
    let hooks = try good.commit().hooks
    #expect(fixture_add_order(1, 2, 3, 4, 5, 6) + fixture_add_pre(1, 2, 3, 4, 5, 6) == 42)
    #expect(fixture_sum10(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 385)
    #expect(probe.postCount == 3)
    var out = HookTransaction()
    for hook in hooks { out.detach(hook) }
    _ = try out.commit()
    #expect(try bytes("fixture_add_order") == before)
    #expect(fixture_add_order(1, 2, 3, 4, 5, 6) == 21)
    #expect(probe.postCount == 3)
  }

  @Test func `short functions use the padding behind them`() throws {
    let probe = Probe()
    let plan = try HookEngine.plan(entry: try fixture("fixture_tiny"))
    #expect(plan.tier == .padding)
    try hooking("fixture_tiny", probe) {
      fixture_tiny()
      #expect(probe.postCount == 1)
    }
    fixture_tiny()
    #expect(probe.postCount == 1)
  }

  @Test func `plans say what would be done`() throws {
    let before = try bytes("fixture_add_order")
    let window = try HookEngine.plan(entry: try fixture("fixture_add_order"))
    #expect(window.tier == .window)
    #expect(window.original == Array(before.prefix(5)))
    #expect(!window.moved.isEmpty)
    #expect(try HookEngine.plan(entry: try fixture("fixture_loop_back")).tier == .copy)
    #expect(try bytes("fixture_add_order") == before)
    let error = try #require(throws: HookError.self) {
      try HookEngine.plan(entry: try fixture("fixture_tiny_before_data"))
    }
    #expect(error.code == .tooShort)
  }
}
