// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

// Unchecked: as RingReader, one thread at a time.
/// The reading side of a ``SharedRing``: copies records out, and goes on when their producer dies.
///
/// One thread at a time.
public final class SharedReader: @unchecked Sendable {
  private let shared: SharedRing
  private let reader: RingReader

  /// Makes the reader of a ring; one at a time.
  public init(_ shared: SharedRing) {
    precondition(shared.role == .reader, "this side of the ring publishes")
    self.shared = shared
    var options = ReaderOptions(overflow: .block)
    options.isForeign = true
    reader = RingReader(
      ring: shared.ring, line: 0, options: options, first: shared.ring.published)
  }

  /// Hands over what is published, oldest first; the bytes are this process's own copy, and not checked.
  ///
  /// - Returns: how many places of the ring were passed; 0 when nothing is there.
  @discardableResult
  public func drain(limit: Int = 64, _ body: (RingRecord) -> Bool) -> Int {
    reader.drain(limit: limit, body)
  }

  /// Answers a record that wants it; false when nobody waits any more.
  @discardableResult
  public func answer(_ sequence: UInt64, with value: UInt32) -> Bool {
    reader.answer(sequence, with: value)
  }

  /// Sleeps until something is published or the time is over; may return early.
  public func wait(milliseconds: Int) { reader.park(milliseconds: milliseconds) }

  /// Makes gaps of what a dead producer began and did not finish, so that the reader can pass them.
  ///
  /// A record is begun when its slot says so; nothing tells of one whose producer died before that, and nobody ever
  /// saw it. Call it when ``SharedRing/peerHasEnded`` says so, never while the producer lives. What the dead producer
  /// has finished stays, and is read first. A new producer begins behind it.
  ///
  /// - Returns: how many records were given up.
  @discardableResult
  public func passDeadProducer() -> UInt64 {
    let ring = shared.ring
    let start = reader.position
    var end = start
    for sequence in start..<(start + UInt64(ring.slotCount))
    where RingStamp.isOf(ring.slot(sequence)[0].load(ordering: .acquiring), sequence) {
      end = sequence + 1
    }
    var given: UInt64 = 0
    for sequence in start..<end {
      let slot = ring.slot(sequence)
      if RingStamp.isPublished(slot[0].load(ordering: .acquiring), sequence) { continue }
      slot[0].store(RingStamp.gap(sequence), ordering: .releasing)
      given += 1
    }
    ring.memory.word(at: RingLayout.claim).pointee.store(end, ordering: .releasing)
    return given
  }

  /// What became of every record that was seen; exact while nobody drains.
  public func account(named name: String) -> SubscriberAccount { reader.account(named: name) }
}
