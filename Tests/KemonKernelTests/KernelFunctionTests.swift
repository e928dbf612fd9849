// SPDX-License-Identifier: Apache-2.0

import CKernelImageFixtures
import KemonHooks
import Testing

@testable import KemonKernel

@Suite(.serialized) struct KernelFunctionTests {
  private static func code(_ function: KernelFunction, _ count: Int = 16) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: function.code, count: count))
  }

  /// Calls it whatever its prototype is: only for functions whose original is skipped.
  private static func call(_ function: KernelFunction) -> Int {
    typealias Any6 = @convention(c) (Int, Int, Int, Int, Int, Int) -> Int
    return unsafeBitCast(function.code, to: Any6.self)(1, 0, 0, 0, 0, 0)
  }

  @Test func `names are found, each once`() throws {
    #expect(Set(KernelFunction.all.map(\.name)).count == KernelFunction.all.count)
    for function in KernelFunction.all {
      #expect(try KernelFunction.named(function.name).address == function.address)
    }
    let error = try #require(throws: KernelError.self) { try KernelFunction.named("vn_nothing") }
    #expect(error.code == .unknownFunction)
    #expect(error.message.contains("vn_nothing"))
  }

  /// In a process of its own: other suites call the same functions and expect something of them.
  @Test func `every function is hooked, called and unhooked`() async {
    await #expect(processExitsWith: .success) {
      #expect(KernelFunction.all.contains { $0.isPatchable })
      #expect(KernelFunction.all.contains { !$0.isPatchable })
      for function in KernelFunction.all {
        let before = Self.code(function)
        let extent = function.size.map { FunctionExtent(start: function.code, size: $0) }
        let tier = try HookEngine.plan(entry: function.code, HookOptions(extent: extent)).tier
        let calls = Calls()
        let hook = try function.attach(handlers: calls.skipping)
        #expect(Self.call(function) == 42, "\(function.name), by \(tier)")
        #expect(calls.pre == 1 && calls.post == 1, "\(function.name), by \(tier)")
        #expect(Self.code(function) != before)
        try hook.detach()
        #expect(Self.code(function) == before, "\(function.name), by \(tier)")
      }
    }
  }

  @Test func `a hook of a patchable function takes the nop and nothing else`() async {
    await #expect(processExitsWith: .success) {
      for function in KernelFunction.all where function.isPatchable {
        #expect(Self.code(function, 5) == [0x0F, 0x1F, 0x44, 0x00, 0x08], "\(function.name)")
        let plan = try HookEngine.plan(entry: function.code)
        #expect(plan.tier == .window, "\(function.name)")
        #expect(plan.replaced.count == 1, "\(function.name)")
        #expect(!plan.needsStop, "\(function.name)")
      }
    }
  }

  @Test func `a plain function begins as the compiler makes functions of kernels`() throws {
    let function = try KernelFunction.named("fixture_plain")
    #expect(!function.isPatchable)
    // push rbp; mov rbp, rsp: frame pointers are kept. Then lea eax, [rdi+2*rsi]: optimised, whatever the rest is.
    let code: [UInt8] = [0x55, 0x48, 0x89, 0xE5, 0x8D, 0x04, 0x77]
    #expect(Self.code(function).starts(with: code))
  }

  @Test(arguments: ["fixture_plain", "fixture_patchable"])
  func `arguments and results go through a hook of either kind`(_ name: String) throws {
    let function = try KernelFunction.named(name)
    func results() -> [Int32] { [fixture_plain(1, 2), fixture_patchable(1, 2)] }
    #expect(results() == [5, 5])
    let calls = Calls()
    let hook = try function.attach(handlers: calls.changing)
    // (1 + 10) + 2 × 2, and 100 on the way back.
    #expect(results().sorted() == [5, 115])
    #expect(calls.pre == 1 && calls.post == 1)
    try hook.detach()
    #expect(results() == [5, 5])
  }

  @Test func `a caller in the same file uses the result that a hook leaves`() throws {
    #expect(fixture_ask_constant() == 7)
    let calls = Calls()
    let hook = try KernelFunction.named("fixture_constant").attach(handlers: calls.skipping)
    #expect(fixture_ask_constant() == 42)
    try hook.detach()
    #expect(fixture_ask_constant() == 7)
  }
}

/// What handlers saw, on one thread.
private final class Calls {
  var pre = 0
  var post = 0

  private static func of(_ context: UnsafeMutableRawPointer?) -> Calls? {
    context.map { Unmanaged<Calls>.fromOpaque($0).takeUnretainedValue() }
  }

  private var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

  /// Leaves the original out; the result is 42.
  var skipping: HookHandlers {
    HookHandlers(
      pre: { context, frame in
        Calls.of(context)?.pre += 1
        frame.pointee.result = 42
        return Int32(CKEMON_SKIP)
      },
      post: { context, _ in Calls.of(context)?.post += 1 }, context: context)
  }

  /// Adds 10 to the first argument and 100 to the result.
  var changing: HookHandlers {
    HookHandlers(
      pre: { context, frame in
        Calls.of(context)?.pre += 1
        frame.pointee.rdi += 10
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in
        Calls.of(context)?.post += 1
        frame.pointee.result += 100
      }, context: context)
  }
}
