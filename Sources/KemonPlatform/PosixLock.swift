// SPDX-License-Identifier: Apache-2.0

import Glibc

// Unchecked: the value is reached under the mutex only, which never moves.
/// A value behind a pthread mutex.
///
/// For locks that several threads fight for: ThreadSanitizer does not see inside the standard library's Mutex on Linux
/// and takes every hand-over for a race, and a hand-over through the kernel costs more there.
package final class PosixLock<Value: ~Copyable>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  // The mutex is what exclusive access is: the run time need not look again.
  @exclusivity(unchecked) private var value: Value

  package init(_ value: consuming sending Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs a closure that has the value to itself; not again from inside.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Waits until nobody has the value, and keeps everybody away.
  ///
  /// For `pthread_atfork`: a forked child must find the value whole, as it has no thread that would finish a change. No
  /// closure of ``withLock(_:)`` may fork.
  package func beforeFork() { pthread_mutex_lock(mutex) }

  /// Lets others in again, in the parent and in the child.
  package func afterFork() { pthread_mutex_unlock(mutex) }
}
