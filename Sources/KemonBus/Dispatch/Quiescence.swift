// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

// Unchecked: all words are atomics in raw memory; writers are serialised by a lock.
/// Lets a writer wait until every reader that was inside has left, while new readers come and go.
///
/// Each thread has a word of its own: odd while it is inside. Entering and leaving are plain stores; the fence between
/// "I am inside" and "what do I see" is the writer's duty, who makes every running thread pass one (`membarrier`).
/// A thread that enters again while it is inside is inside until it leaves the first time.
final class Quiescence: @unchecked Sendable {
  private let words: UnsafeMutableRawPointer
  private let fencesItself: Bool
  private let writer = Mutex<Void>(())

  init() {
    // Zeroed pages of the kernel: only the lines of threads that come here ever exist.
    let bytes = (Int(CKEMON_THREAD_LIMIT) + 1) * RingLayout.line
    guard let memory = calloc(1, bytes + RingLayout.line) else {
      preconditionFailure("no memory of \(bytes) bytes")
    }
    words = memory
    fencesItself = ckemon_barrier_prepare() != 1
  }

  deinit { free(words) }

  /// The word of a thread; the one behind the last counts the threads that have none of their own.
  @inline(__always)
  private func word(_ number: Int) -> RingWord {
    (words + number &* RingLayout.line).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Enters; what was published before stays valid until ``leave(_:)`` with the same number.
  ///
  /// - Parameter number: of the calling thread.
  /// - Returns: a ticket for leaving.
  @inline(__always)
  func enter(_ number: Int) -> Int {
    if number > Int(CKEMON_THREAD_LIMIT) {
      word(number - 1).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
      return number
    }
    let word = word(number - 1)
    let value = word.pointee.load(ordering: .relaxed)
    if value & 1 != 0 { return 0 }
    word.pointee.store(value &+ 1, ordering: .relaxed)
    if fencesItself { atomicMemoryFence(ordering: .sequentiallyConsistent) }
    ckemon_light_fence()
    return number
  }

  /// Leaves with the ticket that ``enter(_:)`` gave.
  @inline(__always)
  func leave(_ ticket: Int) {
    if ticket == 0 { return }
    let word = word(ticket - 1)
    if ticket > Int(CKEMON_THREAD_LIMIT) {
      word.pointee.wrappingSubtract(1, ordering: .releasing)
    } else {
      word.pointee.store(word.pointee.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }
  }

  /// Returns when every reader that was inside at the time of the call has left.
  ///
  /// Not from inside a reader.
  func waitForReaders() {
    writer.withLock { _ in
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if !fencesItself { ckemon_barrier_everywhere() }
      for index in 0..<Int(CKEMON_THREAD_LIMIT) {
        let word = word(index)
        let value = word.pointee.load(ordering: .acquiring)
        if value & 1 == 0 { continue }
        while word.pointee.load(ordering: .acquiring) == value { usleep(20) }
      }
      while word(Int(CKEMON_THREAD_LIMIT)).pointee.load(ordering: .acquiring) != 0 { usleep(20) }
    }
  }
}
