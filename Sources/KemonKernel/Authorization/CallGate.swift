// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

// Unchecked: atomics in raw memory.
/// Counts the calls that are inside something, so that it can be closed and waited for.
///
/// Once ``close()`` has returned nobody is inside and nobody comes in: also a call that was on its way finds it closed.
final class CallGate: @unchecked Sendable {
  private static let stripes = 8
  private static let line = 128
  private let memory: UnsafeMutableRawPointer
  private let isClosed = Atomic<Bool>(false)

  init() {
    memory = .allocate(byteCount: Self.stripes * Self.line, alignment: Self.line)
    for stripe in 0..<Self.stripes {
      (memory + stripe * Self.line).initializeMemory(as: Atomic<Int>.self, to: Atomic(0))
    }
  }

  deinit { memory.deallocate() }

  private func calls(_ stripe: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    (memory + stripe * Self.line).assumingMemoryBound(to: Atomic<Int>.self)
  }

  /// Runs a closure inside, or not at all when the gate is closed.
  ///
  /// - Parameter number: of the calling thread's lane.
  func pass<Result>(_ number: Int, _ body: () -> Result) -> Result? {
    let calls = calls(number % Self.stripes)
    // Sequentially consistent, here and in close(): either the call sees that it is closed, or close() sees the call.
    calls.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { calls.pointee.wrappingSubtract(1, ordering: .releasing) }
    guard !isClosed.load(ordering: .sequentiallyConsistent) else { return nil }
    return body()
  }

  /// Lets nobody in any more, and returns when the last call has left; not from inside.
  func close() {
    isClosed.store(true, ordering: .sequentiallyConsistent)
    for stripe in 0..<Self.stripes {
      while calls(stripe).pointee.load(ordering: .sequentiallyConsistent) != 0 { usleep(20) }
    }
  }
}
