// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

/// What a handler's calls are counted in: a line for each thread, so that counting is a plain addition.
///
/// Threads beyond the last line share it and count with atomic additions.
struct HandlerCounters {
  enum Field: Int {
    case calls, filtered, denies, wouldDenies, faults, timedCalls, timedNanoseconds, timeouts
  }

  /// Threads from 1 up to this one have a line of their own.
  static let lanes = 64
  private static let wordsPerLane = 8

  private let words: RingWord

  /// Bytes of a handler's counters, at a multiple of 64.
  static let size = lanes * wordsPerLane * 8

  /// Takes memory that is zeroed and somebody else's.
  @inline(__always)
  init(at memory: UnsafeMutableRawPointer) {
    words = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Makes counters at zero.
  static func allocate() -> HandlerCounters {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    return HandlerCounters(at: memory)
  }

  func deallocate() { UnsafeMutableRawPointer(words).deallocate() }

  /// The number of the calling thread, for the other calls.
  @inline(__always)
  static func thread() -> Int { Int(ckemon_thread_number()) }

  /// Whether a thread counts by plain additions.
  @inline(__always)
  static func hasLine(_ thread: Int) -> Bool { thread < lanes }

  /// Adds, and returns what the thread has counted before.
  @discardableResult @inline(__always)
  func add(_ field: Field, _ amount: UInt64 = 1, on thread: Int) -> UInt64 {
    if Self.hasLine(thread) {
      let word = words + (thread &* Self.wordsPerLane &+ field.rawValue)
      let value = word.pointee.load(ordering: .relaxed)
      word.pointee.store(value &+ amount, ordering: .relaxed)
      return value
    }
    return words[field.rawValue].wrappingAdd(amount, ordering: .relaxed).oldValue
  }

  /// Takes one back.
  func subtractOne(_ field: Field, on thread: Int) { add(field, .max, on: thread) }

  /// The sum over all threads.
  func total(_ field: Field) -> UInt64 {
    var sum: UInt64 = 0
    for lane in 0..<Self.lanes {
      sum &+= words[lane * Self.wordsPerLane + field.rawValue].load(ordering: .relaxed)
    }
    return sum
  }
}

// Unchecked: the counters are atomics in raw memory, which lives as long as the object.
/// A handler's counters, held by whoever needs them: a handler and the one that took its place count in the same.
final class SharedCounters: @unchecked Sendable {
  let counters = HandlerCounters.allocate()

  deinit { counters.deallocate() }
}
