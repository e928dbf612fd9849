// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

// Unchecked: the word is an atomic at a constant address, which the kernel waits on.
/// A counter that threads can wait on until it is signalled.
package final class FutexWord: @unchecked Sendable {
  private let word: UnsafeMutablePointer<Atomic<UInt32>>

  package init() {
    word = .allocate(capacity: 1)
    word.initialize(to: Atomic(0))
  }

  deinit {
    word.deinitialize(count: 1)
    word.deallocate()
  }

  /// To be read before the condition is checked, and given to ``wait(from:nanoseconds:)``.
  package var value: UInt32 { word.pointee.load(ordering: .sequentiallyConsistent) }

  /// Wakes all that wait, and makes those that are about to wait return at once.
  package func signal() {
    word.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    ckemon_futex_wake_all(word)
  }

  /// Sleeps until the word is signalled after it had that value, or the time is over; may return early.
  package func wait(from value: UInt32, nanoseconds: UInt64) {
    _ = ckemon_futex_wait(word, value, nanoseconds)
  }
}
