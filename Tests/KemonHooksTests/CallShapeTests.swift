// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import KemonHooks
import Testing

/// A call of every shape, each hooked on its own.
@Suite(.serialized) struct CallShapeTests {
  private struct Shape: Sendable {
    let name: String
    let isNoCall: Bool
    let site: UInt
    let call: @convention(c) @Sendable (Int, Int) -> Int32

    var code: UnsafeRawPointer {
      get throws { try #require(UnsafeRawPointer(bitPattern: site)) }
    }

    func bytes() throws -> [UInt8] {
      Array(UnsafeRawBufferPointer(start: try code, count: 16))
    }
  }

  private static let shapes: [Shape] = {
    var count = 0
    let rows = UnsafeBufferPointer(start: call_shapes(&count), count: count)
    return rows.compactMap { row in
      // One of them is another suite's.
      guard let call = row.function, String(cString: row.name) != "direct_watched" else {
        return nil
      }
      return Shape(
        name: String(cString: row.name), isNoCall: row.is_no_call != 0,
        site: UInt(bitPattern: row.site),
        call: unsafeBitCast(call, to: (@convention(c) @Sendable (Int, Int) -> Int32).self))
    }
  }()

  private static var calls: [Shape] { shapes.filter { !$0.isNoCall } }

  @Test func `direct, register, memory, relative and table calls are among them`() {
    #if arch(x86_64)
      let names = Set(Self.shapes.map(\.name))
      #expect(names.count == Self.shapes.count)
      #expect(Self.calls.count >= 68)
      #expect(names.isSuperset(of: ["direct", "rbx", "memory_r13_long", "relative_got", "table"]))
    #endif
  }

  @Test func `handlers see the arguments, and the caller the result that they leave`() throws {
    for shape in Self.calls {
      let before = try shape.bytes()
      let plain = shape.call(30, 2)
      let probe = Probe(addend: 1000)
      let hook = try HookEngine.attach(
        callSite: try shape.code, HookOptions(safety: .quiescent), handlers: probe.handlers)
      let hooked = shape.call(30, 2)
      #expect(hooked == plain &+ 2000, "\(shape.name)")
      #expect(probe.preCount == 1 && probe.postCount == 1, "\(shape.name)")
      // In two shapes the callee's address is an argument.
      #expect(probe.seenFirst == 30 || shape.name == "rdi", "\(shape.name)")
      #expect(probe.seenSecond == 2 || shape.name == "rsi", "\(shape.name)")
      try hook.detach()
      #expect(try shape.bytes() == before, "\(shape.name)")
      #expect(shape.call(30, 2) == plain, "\(shape.name)")
      #expect(probe.preCount == 1, "\(shape.name)")
    }
  }

  @Test func `a skipped call is not made, and arguments can be changed`() throws {
    let skip = Probe(skipResult: 21)
    let change = Probe(newArgument: 40)
    for shape in Self.calls {
      let skipping = try HookEngine.attach(
        callSite: try shape.code, HookOptions(safety: .quiescent),
        handlers: skip.handlers)
      #expect(shape.call(30, 2) == 42, "\(shape.name)")
      try skipping.detach()
      guard shape.name != "rdi", shape.name != "rsi" else { continue }
      let changing = try HookEngine.attach(
        callSite: try shape.code, HookOptions(safety: .quiescent),
        handlers: change.handlers)
      #expect(shape.call(30, 2) == 84, "\(shape.name)")
      try changing.detach()
    }
    #expect(skip.skipCount == Self.calls.count)
    #expect(change.postCount == Self.calls.count - 2)
  }

  @Test func `calls of five bytes and more are hooked while threads may be in them`() throws {
    for shape in Self.calls {
      let site = try shape.code
      let probe = Probe()
      let plain = shape.call(30, 2)
      let quiescent = try HookEngine.attach(
        callSite: site, HookOptions(safety: .quiescent), handlers: HookHandlers())
      let size = quiescent.replaced[0].bytes.count
      try quiescent.detach()
      do throws(HookError) {
        let hook = try HookEngine.attach(callSite: site, handlers: probe.handlers)
        #expect(size >= 5, "\(shape.name)")
        let hooked = shape.call(30, 2)
        #expect(hooked == plain, "\(shape.name)")
        #expect(probe.postCount == 1, "\(shape.name)")
        try hook.detach()
      } catch {
        #expect(error.code == .needsQuiescence, "\(shape.name): \(error)")
        #expect(size < 5, "\(shape.name)")
      }
    }
  }

  @Test func `what is no near call is refused by its name`() throws {
    let others = Self.shapes.filter(\.isNoCall)
    #expect(others.count >= 6 || Self.shapes.isEmpty)
    for shape in others {
      let before = try shape.bytes()
      let error = try #require(throws: HookError.self) {
        try HookEngine.attach(
          callSite: try shape.code, HookOptions(safety: .quiescent), handlers: HookHandlers())
      }
      #expect(error.code == .notACall, "\(shape.name): \(error)")
      #expect(try shape.bytes() == before, "\(shape.name)")
    }
  }

  @Test(arguments: ["direct", "relative", "relative_got", "memory_rax_long", "stack_long"])
  func `hooks come and go while threads make the call`(_ name: String) throws {
    let shape = try #require(Self.shapes.first { $0.name == name })
    nonisolated(unsafe) let site = try shape.code
    let probe = Probe()
    let wrong = Counter()
    let done = Counter()
    onThreads(4) { role in
      if role == 0 {
        for _ in 0..<40 {
          do {
            try HookEngine.attach(callSite: site, handlers: probe.handlers).detach()
          } catch {
            Issue.record(error)
          }
        }
        done.add()
      } else {
        var number = 0
        while done.value == 0 {
          if shape.call(number, 1) != Int32(2 * (number + 1)) { wrong.add() }
          number = (number + 1) & 0xFFFF
        }
      }
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
  }

  @Test func `C hooks every shape as well`() {
    let failure = call_shapes_fail_from_c()
    #expect(failure == nil, "\(failure.map { String(cString: $0) } ?? "")")
  }
}
