// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Unchecked: mutexes in raw memory, which never moves.
/// Mutexes side by side, each in cache lines of its own: an address, so that nobody counts references to use them.
struct LockStripes: @unchecked Sendable {
  private static let line = 128
  private let memory: UnsafeMutableRawPointer
  let count: Int

  /// Makes so many; whoever does deallocates them.
  init(_ count: Int) {
    self.count = count
    memory = .allocate(byteCount: count * Self.line, alignment: Self.line)
    for stripe in 0..<count {
      (memory + stripe * Self.line).initializeMemory(
        as: pthread_mutex_t.self, to: pthread_mutex_t())
      pthread_mutex_init(mutex(stripe), nil)
    }
  }

  func deallocate() {
    for stripe in 0..<count { pthread_mutex_destroy(mutex(stripe)) }
    memory.deallocate()
  }

  @inline(__always)
  private func mutex(_ stripe: Int) -> UnsafeMutablePointer<pthread_mutex_t> {
    (memory + stripe &* Self.line).assumingMemoryBound(to: pthread_mutex_t.self)
  }

  /// Runs a closure that has one of them.
  @inline(__always)
  func withLock<Result>(_ stripe: Int, _ body: () -> Result) -> Result {
    let mutex = mutex(stripe)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Runs a closure that has all of them.
  func withAll<Result>(_ body: () -> Result) -> Result {
    for stripe in 0..<count { pthread_mutex_lock(mutex(stripe)) }
    defer { for stripe in 0..<count { pthread_mutex_unlock(mutex(stripe)) } }
    return body()
  }
}

/// A lock that many threads read under at once, each with a mutex of its own, and a writer takes all of.
///
/// A reader touches no memory that another reader writes. Never held while anybody is asked: only around look-ups and
/// changes of the tree.
struct TreeLock: Sendable {
  private let stripes = LockStripes(8)

  func deallocate() { stripes.deallocate() }

  /// Runs a closure that reads.
  ///
  /// - Parameter reader: the number of the calling thread's lane; threads of equal numbers wait for each other.
  @inline(__always)
  func read<Result>(_ reader: Int, _ body: () -> Result) -> Result {
    stripes.withLock(reader & (stripes.count - 1), body)
  }

  /// Runs a closure that has the tree to itself.
  func write<Result>(_ body: () -> Result) -> Result { stripes.withAll(body) }
}
