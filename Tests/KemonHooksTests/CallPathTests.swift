// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import KemonHooks
import Testing

/// What the handlers here count; for the tests of this suite, which run one after the other.
private enum Seen {
  static let pre = Counter()
  static let post = Counter()
  static let wrong = Counter()

  /// Handlers that destroy every vector register and count.
  static let handlers = HookHandlers(
    pre: { _, frame in
      pre.add()
      fixture_dirty_vectors()
      // What post must find again.
      if frame.pointee.scratch.0 != 0 { wrong.add() }
      frame.pointee.scratch.0 = UInt64(UInt(bitPattern: frame))
      return Int32(CKEMON_PROCEED)
    },
    post: { _, frame in
      if frame.pointee.scratch.0 != UInt64(UInt(bitPattern: frame)) { wrong.add() }
      fixture_dirty_vectors()
      post.add()
    })

  /// Hooks a function, runs a body, takes the hook out, and returns how many calls the handlers saw.
  static func calls(
    of path: call_path, _ prototype: String? = nil, _ body: (Hook) throws -> Void
  ) throws -> Int {
    let before = (pre.value, post.value, wrong.value)
    let prototype = try prototype.map { text in try HookPrototype(text) }
    let hook = try HookEngine.attach(
      entry: try #require(path_address(path)),
      HookOptions(safety: .quiescent, prototype: prototype), handlers: handlers)
    do { try body(hook) }
    #expect(hook.callsInFlight == 0)
    try hook.detach()
    #expect(pre.value - before.0 == post.value - before.1)
    #expect(wrong.value == before.2)
    return pre.value - before.0
  }
}

@Suite(.serialized) struct CallPathTests {
  @Test func `what a prototype names is kept`() throws {
    let half = try Seen.calls(of: PATH_HALF, "f64(f64)") { _ in #expect(path_half(3) == 1.5) }
    let mixed = try Seen.calls(
      of: PATH_MIXED,
      "f64(f64,i64,f64,i64,f64,i64,f64,i64,f64,i64,f64,i64,f64,f64,f64,i64)"
    ) { _ in #expect(path_mixed_of_ones() == 136) }
    let add = try Seen.calls(of: PATH_ADD, "i64(i64,i64,i64,i64,i64,i64)") { _ in
      #expect(path_add(1, 2, 3, 4, 5, 6) == 21)
    }
    #expect(half == 1 && mixed == 1 && add == 1)
  }

  @Test func `a place that is hooked again keeps what the next hook asks for`() throws {
    _ = try Seen.calls(of: PATH_HALF, "i64(i64)") { _ in }
    let seen = try Seen.calls(of: PATH_HALF) { _ in #expect(path_half(3) == 1.5) }
    #expect(seen == 1)
  }

  @Test func `more arguments on the stack than are passed on are refused`() throws {
    let prototype = try HookPrototype(
      "i64(" + Array(repeating: "i64", count: 31).joined(separator: ",") + ")")
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: try #require(path_address(PATH_ADD)), HookOptions(prototype: prototype),
        handlers: Seen.handlers)
    }
    #expect(error.code == .unsupportedPrototype)
    #expect(error.message.contains("25 arguments"))
  }

  /// More calls inside each other than a thread has notes for.
  private static let depth = 400

  @Test func `calls that handlers make are not seen at any depth`() throws {
    let hook = try HookEngine.attach(
      entry: try #require(path_address(PATH_DEEP)), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { _, _ in
          Seen.pre.add()
          return path_deep(1) == 1 ? Int32(CKEMON_PROCEED) : Int32(CKEMON_SKIP)
        },
        post: { _, frame in frame.pointee.result &+= UInt64(path_deep(0)) }))
    let before = Seen.pre.value
    #expect(path_deep(Self.depth) == Self.depth)
    #expect(Seen.pre.value - before == Self.depth + 1)
    // Two of pre, one of post.
    #expect(hook.suppressedCalls == UInt64(3 * (Self.depth + 1)))
    #expect(hook.callsInFlight == 0)
    try hook.detach()
  }

  @Test func `a handler's calls are seen, but calls of its own function are not`()
    throws
  {
    let add = try HookEngine.attach(
      entry: try #require(path_address(PATH_ADD)), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { _, _ in
          if path_other(1, 1, 1, 1, 1, 1) != 12 { Seen.wrong.add() }
          return Int32(CKEMON_PROCEED)
        }, post: { _, _ in }))
    let other = try HookEngine.attach(
      entry: try #require(path_address(PATH_OTHER)), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { _, _ in Int32(CKEMON_PROCEED) },
        post: { _, frame in frame.pointee.result &+= UInt64(path_add(1, 1, 1, 1, 1, 1)) }))
    let wrong = Seen.wrong.value
    for _ in 0..<3 { #expect(path_add(1, 2, 3, 4, 5, 6) == 21) }
    #expect(Seen.wrong.value == wrong)
    #expect(add.suppressedCalls == 3)
    #expect(other.suppressedCalls == 0)
    // Not made by a handler of path_add any more; its handler's call of path_other is one of path_other's handler.
    #expect(path_other(1, 1, 1, 1, 1, 1) == 12)
    #expect(add.suppressedCalls == 3)
    #expect(other.suppressedCalls == 1)
    try add.detach()
    try other.detach()
  }

  @Test func `the first four of many handlers have a scratch of their own, whatever others write`()
    throws
  {
    let place = try #require(path_address(PATH_ADD))
    let hooks = try (0..<6).map { _ in try HookEngine.attach(entry: place, handlers: .numbered) }
    Numbered.last = 0
    Numbered.found = []
    #expect(path_add(1, 2, 3, 4, 5, 6) == 21)
    #expect(Numbered.found == [0, 0, 4, 3, 2, 1])
    for hook in hooks { try hook.detach() }
  }

  @Test func `signal handlers may make hooked calls at any time`() throws {
    var made = 0
    let seen = try Seen.calls(of: PATH_ADD) { _ in
      onThreads(1) { _ in
        var calls = 0
        if path_interrupted(3000, &calls) != 0 { Seen.wrong.add() }
        Interrupted.calls = calls
      }
      made = Interrupted.calls
    }
    // A signal handler that comes while a handler runs makes calls that nobody sees.
    #expect(seen <= made)
    #expect(seen > 0)
  }

  @Test func `coroutines may leave hooked calls in any order, also on another thread`() throws {
    for _ in 0..<100 {
      let inside = try Seen.calls(of: PATH_YIELDS) { _ in #expect(path_coroutines() == 6) }
      #expect(inside == 3)
    }
    let migrated = try Seen.calls(of: PATH_YIELDS) { _ in
      for _ in 0..<300 { #expect(path_migrates() == 1) }
    }
    #expect(migrated == 300)
  }
}

/// Written by one thread, read when it has ended.
private enum Interrupted {
  nonisolated(unsafe) static var calls = 0
}

/// Handlers that leave a number in their scratch; for one thread.
private enum Numbered {
  nonisolated(unsafe) static var last: UInt64 = 0
  nonisolated(unsafe) static var found: [UInt64] = []
}

extension HookHandlers {
  fileprivate static var numbered: HookHandlers {
    HookHandlers(
      pre: { _, frame in
        Numbered.last += 1
        frame.pointee.scratch.3 = Numbered.last
        return Int32(CKEMON_PROCEED)
      }, post: { _, frame in Numbered.found.append(frame.pointee.scratch.3) })
  }
}
