// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

extension ByteRing {
  /// Wakes every reader that sleeps, though nothing was published.
  public func wakeAll() {
    sleepers.pointee.store(1, ordering: .sequentiallyConsistent)
    wake()
  }

  /// Wakes all sleepers; of several producers the one that takes the flag pays for the system call.
  @usableFromInline
  func wake() {
    guard sleepers.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 else { return }
    wakeups.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if isShared { ckemon_futex_wake_all_shared(wakeups) } else { ckemon_futex_wake_all(wakeups) }
  }

  /// Sleeps until something is published, or for that many nanoseconds; may return early.
  ///
  /// - Parameter next: the sequence that the caller waits for.
  func sleep(awaiting next: UInt64, nanoseconds: UInt64) {
    let ticket = UInt32(truncatingIfNeeded: wakeups.pointee.load(ordering: .sequentiallyConsistent))
    sleepers.pointee.store(1, ordering: .sequentiallyConsistent)
    fenceForProducers()
    if RingStamp.isComplete(slot(next)[0].load(ordering: .sequentiallyConsistent), next) { return }
    _ =
      isShared
      ? ckemon_futex_wait_shared(wakeups, ticket, nanoseconds)
      : ckemon_futex_wait(wakeups, ticket, nanoseconds)
  }
}
