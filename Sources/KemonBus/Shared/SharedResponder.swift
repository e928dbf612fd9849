// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

// Unchecked: constants, and atomics in raw memory; one thread at a time takes requests.
/// The side of a ``SharedRing`` that works for its creator: takes requests in place, writes over them, and answers.
///
/// For a process that trusts the one that publishes, as a worker does its host. One thread at a time takes requests.
public final class SharedResponder: @unchecked Sendable {
  private let shared: SharedRing
  private let ring: ByteRing
  private let cursor: RingWord
  private var next: UInt64
  private let eager = EagerWait()
  /// Somebody wants a waiting thread to return, which may not sleep yet.
  private let isNudged = Atomic<Bool>(false)

  /// Makes the responder of a ring; one at a time.
  public init(_ shared: SharedRing) {
    precondition(shared.role == .reader, "this side of the ring publishes")
    self.shared = shared
    ring = shared.ring
    cursor = ring.line(0) + 1
    next = cursor.pointee.load(ordering: .acquiring)
  }

  /// Takes what is published, one record after the other.
  ///
  /// - Parameters:
  ///   - limit: how many at most.
  ///   - body: gets the record's bytes, which it may change; what it returns is the answer, where one is wanted.
  /// - Returns: how many were taken; 0 when nothing is there.
  public func serve(limit: Int = 64, _ body: (UnsafeMutableRawBufferPointer) -> UInt32) -> Int {
    var taken = 0
    while taken < limit {
      let slot = ring.slot(next)
      let stamp = slot[0].load(ordering: .acquiring)
      guard RingStamp.isPublished(stamp, next) else { break }
      let size = min(Int(truncatingIfNeeded: stamp & RingStamp.sizeMask), ring.recordLimit)
      let bytes = UnsafeMutableRawBufferPointer(start: ring.place(slot, next, size), count: size)
      let value = body(bytes)
      _ = ring.reply(to: next, with: value)
      next &+= 1
      cursor.pointee.store(next, ordering: .releasing)
      taken += 1
    }
    return taken
  }

  /// Whether everything that was published has been taken.
  public var isDrained: Bool {
    let next = cursor.pointee.load(ordering: .acquiring)
    return !RingStamp.isComplete(ring.slot(next)[0].load(ordering: .acquiring), next)
  }

  /// Waits until something is published or the time is over; may return early.
  public func wait(milliseconds: Int) {
    eager.wait {
      isNudged.exchange(false, ordering: .acquiring) || !isDrained
    } orSleep: {
      ring.sleep(
        awaiting: cursor.pointee.load(ordering: .acquiring),
        nanoseconds: UInt64(max(milliseconds, 0)) * 1_000_000)
    }
  }

  /// Makes a thread that waits return.
  public func wake() {
    isNudged.store(true, ordering: .releasing)
    ring.wakeAll()
  }
}
