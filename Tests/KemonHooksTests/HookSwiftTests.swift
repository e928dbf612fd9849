// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Foundation
import KemonHooks
import Synchronization
import Testing

/// Functions of Swift under hooks: what they keep in registers that C does not know of.
@Suite(.serialized) struct HookSwiftTests {
  @Test func `the error of a function that throws arrives, and its result`() throws {
    let probe = Probe()
    func outcomes() -> [String] {
      [1, -1, 2, -2].map { number in
        do { return "\(try swiftThrows(number))" } catch { return "\(error)" }
      }
    }
    let expected = ["2", "SwiftFailure(number: -1)", "4", "SwiftFailure(number: -2)"]
    #expect(outcomes() == expected)
    let hook = try HookEngine.attach(
      entry: try fixture("kemon_test_swift_throws"), handlers: probe.handlers)
    #expect(outcomes() == expected)
    try hook.detach()
    #expect(probe.preCount == 4 && probe.postCount == 4)
  }

  @Test func `results in four registers arrive`() throws {
    let probe = Probe()
    let hooks = try ["kemon_test_swift_words", "kemon_test_swift_doubles"].map {
      try HookEngine.attach(entry: try fixture($0), handlers: probe.handlers)
    }
    let words = swiftWords(5)
    let doubles = swiftDoubles(5)
    for hook in hooks { try hook.detach() }
    #expect(words == (5, 6, 7, 8))
    #expect(doubles == (5, 5.5, 6, 6.5))
    #expect(probe.postCount == 2)
  }

  @Test func `a method has its object`() throws {
    let object = SwiftObject()
    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: try fixture("kemon_test_swift_method"), handlers: probe.handlers)
    #expect((1...5).map { object.add($0) } == [1, 3, 6, 10, 15])
    try hook.detach()
    #expect(probe.postCount == 5)
    #expect(object.add(1) == 16)
  }

  @Test(arguments: [false, true])
  func `an asynchronous function has its context, and goes on where it waited`(
    _ hasPost: Bool
  ) async throws {
    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: try fixture("kemon_test_swift_async"),
      handlers: hasPost ? probe.handlers : Self.counting)
    let before = Self.counter.value
    // Taken out on a thread that runs no tasks: what an asynchronous function returns to may go on inside its call.
    let sum = try await Self.onThreadOfItsOwn {
      let sum = Mutex(0)
      let done = Counter()
      Task.detached {
        var total = 0
        for number in 1...100 { total += await swiftAsync(number) }
        let found = total
        sum.withLock { $0 = found }
        done.add()
      }
      while done.value == 0 { sleepMilliseconds(1) }
      try hook.detach()
      return sum.withLock { $0 }
    }
    #expect(sum == 5150)
    #expect(hasPost ? probe.preCount == 100 : Self.counter.value == before + 100)
    #expect(probe.preCount == probe.postCount)
  }

  /// Waits without a thread of those that run tasks.
  private static func onThreadOfItsOwn<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
  }

  /// A pre handler alone: then the function returns by itself.
  private static var counting: HookHandlers {
    HookHandlers(
      pre: { context, _ in
        guard let context else { return Int32(CKEMON_PROCEED) }
        Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().add()
        return Int32(CKEMON_PROCEED)
      }, context: Unmanaged.passUnretained(Self.counter).toOpaque())
  }

  private static let counter = Counter()

  @Test(.enabled(if: ckemon_has_widest_vectors() != 0, "the processor has no AVX-512"))
  func `64-byte vectors survive`() throws {
    let numbers = (0..<16).map { Int32(1) << $0 }
    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_zmm_callee"), HookOptions(vectors: .bytes64),
      handlers: probe.handlers)
    #expect(fixture_zmm_sum(numbers) == 65535)
    try hook.detach()
    #expect(probe.postCount == 1)
  }
}

/// Returned in rax, rdx, rcx and r8.
@_silgen_name("kemon_test_swift_words")
@inline(never)
func swiftWords(_ number: Int) -> (Int, Int, Int, Int) {
  (number, number + 1, number + 2, number + 3)
}

/// Returned in xmm0 to xmm3.
@_silgen_name("kemon_test_swift_doubles")
@inline(never)
func swiftDoubles(_ number: Double) -> (Double, Double, Double, Double) {
  (number, number + 0.5, number + 1, number + 1.5)
}

struct SwiftFailure: Error {
  let number: Int
}

/// Twice the number; throws for negative ones.
@_silgen_name("kemon_test_swift_throws")
@inline(never)
func swiftThrows(_ number: Int) throws -> Int {
  if number < 0 { throw SwiftFailure(number: number) }
  return 2 * number
}

/// The number and one, after others had their turn.
@_silgen_name("kemon_test_swift_async")
@inline(never)
func swiftAsync(_ number: Int) async -> Int {
  await Task.yield()
  return number + 1
}

final class SwiftObject {
  private var sum = 0

  @_silgen_name("kemon_test_swift_method")
  @inline(never)
  func add(_ number: Int) -> Int {
    sum += number
    return sum
  }
}
