// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import CKemonPlugin.Hook
import KemonHooks
import Testing

@Suite(.serialized) struct HookPrototypeTests {
  /// Places that handlers use: they can not capture any.
  private enum Sum10 {
    static let prototype = try? HookPrototype(
      "i64(i64, i64, i64, i64, i64, i64, i64, i64, i64, i64)")
    static let second = try? prototype?.argument(1, as: Int.self)
    static let tenth = try? prototype?.argument(9, as: Int64.self)
    static let result = try? prototype?.result(as: Int.self)
  }

  private enum Sum8 {
    static let prototype = try? HookPrototype("f64(f64,f64,f64,f64,f64,f64,f64,f64)")
    static let last = try? prototype?.argument(7, as: Double.self)
    static let result = try? prototype?.result(as: Double.self)
  }

  @Test func `integers are read and changed, in registers and on the stack`() throws {
    let prototype = try #require(Sum10.prototype)
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_sum10"), HookOptions(vectors: prototype.vectors),
      handlers: HookHandlers(
        pre: { _, frame in
          guard let second = Sum10.second, let tenth = Sum10.tenth else { return 1 }
          tenth.set(tenth.value(in: frame) + Int64(second.value(in: frame)), in: frame)
          return Int32(CKEMON_PROCEED)
        },
        post: { _, frame in
          guard let result = Sum10.result else { return }
          result.set(-result.value(in: frame), in: frame)
        }))
    #expect(fixture_sum10(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == -(385 + 20))
    try hook.detach()
  }

  @Test func `doubles are read and changed`() throws {
    let prototype = try #require(Sum8.prototype)
    #expect(prototype.vectors == .bytes16)
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_sum8d"), HookOptions(vectors: prototype.vectors),
      handlers: HookHandlers(
        pre: { _, frame in
          guard let last = Sum8.last else { return 1 }
          last.set(last.value(in: frame) + 0.5, in: frame)
          return Int32(CKEMON_PROCEED)
        },
        post: { _, frame in
          guard let result = Sum8.result else { return }
          result.set(result.value(in: frame) / 2, in: frame)
        }))
    #expect(fixture_sum8d(1, 2, 3, 4, 5, 6, 7, 8) == 104)
    try hook.detach()
  }

  @Test func `functions of integers need no vector registers`() throws {
    let prototype = try HookPrototype("i32(ptr, cstr, u64)")
    #expect(prototype.vectors == .integersOnly)
    #expect(prototype.arguments == [.ptr, .cstr, .u64])
    #expect(try HookPrototype("void()").arguments.isEmpty)
    #expect(try HookPrototype("void(void)").arguments.isEmpty)
    let probe = Probe(addend: 1)
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_stack"), HookOptions(vectors: .integersOnly),
      handlers: probe.handlers)
    #expect(fixture_add_stack(1, 2, 3, 4, 5, 6) == 22)
    try hook.detach()
  }

  @Test(arguments: ["", "i32", "i32(", "int(i32)", "i32(i32,)", "i32(void,i32)", "i32)i32("])
  func `what is no prototype is refused`(_ text: String) {
    #expect(throws: HookPrototype.Failure.self) { try HookPrototype(text) }
  }

  @Test func `wrong types and places are refused`() throws {
    let prototype = try HookPrototype("i32(ptr, f64)")
    #expect(throws: HookPrototype.Failure.self) { try prototype.argument(2, as: Double.self) }
    #expect(throws: HookPrototype.Failure.self) { try prototype.argument(-1, as: Double.self) }
    #expect(throws: HookPrototype.Failure.self) { try prototype.argument(1, as: Float.self) }
    let error = try #require(throws: HookPrototype.Failure.self) {
      try prototype.result(as: UInt64.self)
    }
    #expect(error.description.contains("the result is i32"))
  }

  @Test func `C sees the frame that the engine makes`() {
    typealias Mine = HookFrame
    typealias Theirs = kemon_hook_frame
    #expect(MemoryLayout<Mine>.size == MemoryLayout<Theirs>.size)
    #expect(MemoryLayout<Mine>.offset(of: \.rdi) == MemoryLayout<Theirs>.offset(of: \.rdi))
    #expect(MemoryLayout<Mine>.offset(of: \.result) == MemoryLayout<Theirs>.offset(of: \.result))
    #expect(
      MemoryLayout<Mine>.offset(of: \.stack_arguments)
        == MemoryLayout<Theirs>.offset(of: \.stack_arguments))
    #expect(MemoryLayout<Mine>.offset(of: \.scratch) == MemoryLayout<Theirs>.offset(of: \.scratch))
    #expect(MemoryLayout<Mine>.offset(of: \.skipped) == MemoryLayout<Theirs>.offset(of: \.skipped))
    #expect(MemoryLayout<Mine>.offset(of: \.vectors) == MemoryLayout<Theirs>.offset(of: \.vectors))
    #expect(
      MemoryLayout<Mine>.offset(of: \.result_vectors)
        == MemoryLayout<Theirs>.offset(of: \.result_vectors))
  }
}
