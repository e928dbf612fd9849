// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

/// Life and death of the process on the other side.
extension SharedRing {
  /// Watches a process: waiting for it ends when it does.
  ///
  /// - Parameter pid: the process on the other side; not yet waited for, so that its number is its own.
  /// - Throws: ``RingError/Code/peerEnded`` when there is no such process.
  public func watch(peer pid: Int32) throws(RingError) {
    let pidfd = ckemon_pidfd_open(pid)
    guard pidfd >= 0 else {
      throw RingError(.peerEnded, errno: -pidfd, "there is no process \(pid) to watch")
    }
    stopWatching()
    watched.pointee.store(UInt64(pidfd) + 1, ordering: .sequentiallyConsistent)
  }

  func stopWatching() {
    let old = watched.pointee.exchange(0, ordering: .sequentiallyConsistent)
    if old != 0 { close(Int32(old - 1)) }
  }

  /// Whether the watched process has ended; false when none is watched.
  public var peerHasEnded: Bool { ring.peerHasEnded }

  /// Lets a producer's ring start anew for another peer; nobody may publish or wait for an answer meanwhile.
  ///
  /// - Returns: how many records the old peer left unread.
  @discardableResult
  public func replacePeer() -> UInt64 {
    precondition(role == .producer, "only the producing side replaces its reader")
    let end = ring.published
    let cursor = min(ring.line(0)[1].load(ordering: .acquiring), end)
    let unread = min(end - cursor, UInt64(ring.slotCount))
    for sequence in (end - min(end, UInt64(ring.slotCount)))..<end {
      ring.slot(sequence)[1].store(RingAnswer.none, ordering: .relaxed)
    }
    openReaderLine(at: end)
    stopWatching()
    return unread
  }
}

extension ByteRing {
  /// Whether the process on the other side of a shared ring is known to have ended.
  var peerHasEnded: Bool {
    guard isShared else { return false }
    let watched = peer.pointee.load(ordering: .acquiring)
    return watched != 0 && ckemon_pidfd_has_ended(Int32(truncatingIfNeeded: watched - 1)) == 1
  }
}
