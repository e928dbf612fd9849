// SPDX-License-Identifier: Apache-2.0

import Glibc

// Unchecked: the value is reached under the mutex only, which never moves.
/// A value behind a pthread mutex.
///
/// For a lock that several threads fight for: the standard library's Mutex hands over to a waiter through the kernel,
/// which costs more, and which ThreadSanitizer does not see, so that it takes every hand-over for a race.
final class PosixLock<Value>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  init(_ value: sending Value) {
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
  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }
}
