// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Unchecked: mutexes in raw memory, which never moves.
/// A lock that many threads read under at once, each with a mutex of its own, and a writer takes all of.
///
/// A reader touches no memory that another reader writes. Never held while anybody is asked: only around look-ups and
/// changes of the tree.
final class TreeLock: @unchecked Sendable {
  private static let stripes = 8
  private static let line = 128
  private let memory: UnsafeMutableRawPointer

  init() {
    memory = .allocate(byteCount: Self.stripes * Self.line, alignment: Self.line)
    for stripe in 0..<Self.stripes {
      (memory + stripe * Self.line).initializeMemory(
        as: pthread_mutex_t.self, to: pthread_mutex_t())
      pthread_mutex_init(mutex(stripe), nil)
    }
  }

  deinit {
    for stripe in 0..<Self.stripes { pthread_mutex_destroy(mutex(stripe)) }
    memory.deallocate()
  }

  @inline(__always)
  private func mutex(_ stripe: Int) -> UnsafeMutablePointer<pthread_mutex_t> {
    (memory + stripe &* Self.line).assumingMemoryBound(to: pthread_mutex_t.self)
  }

  /// Runs a closure that reads.
  ///
  /// - Parameter reader: the number of the calling thread's lane; threads of equal numbers wait for each other.
  @inline(__always)
  func read<Result>(_ reader: Int, _ body: () -> Result) -> Result {
    let mutex = mutex(reader % Self.stripes)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Runs a closure that has the tree to itself.
  func write<Result>(_ body: () -> Result) -> Result {
    for stripe in 0..<Self.stripes { pthread_mutex_lock(mutex(stripe)) }
    defer { for stripe in 0..<Self.stripes { pthread_mutex_unlock(mutex(stripe)) } }
    return body()
  }
}
