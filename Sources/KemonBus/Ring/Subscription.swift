// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
internal import Synchronization

// Unchecked: the scratch buffer and the loss simulation belong to the one draining thread, the counter is atomic.
/// A subscriber's place in an ``EventRing``.
///
/// One thread at a time drains it; any thread may read the account or cancel once the draining thread has stopped.
public final class Subscription: @unchecked Sendable {
  private let ring: EventRing
  private let reader: RingReader
  private let name: String
  private let simulated = Atomic<UInt64>(0)
  private var loss: SimulatedLoss
  private var hasGap = false
  private var marked: [UInt64] = []

  init(ring: EventRing, reader: RingReader, name: String) {
    self.ring = ring
    self.reader = reader
    self.name = name
    loss = ring.simulatedLoss
  }

  /// Hands over what is published, oldest first.
  ///
  /// - Parameters:
  ///   - limit: how many events at most.
  ///   - body: gets a record that is valid during the call; true = delivered, false = muted.
  /// - Returns: how many events were taken; 0 when nothing is there.
  public func drain(limit: Int = 1024, _ body: (RecordView) -> Bool) -> Int {
    var taken = 0
    // Producers that wait for this subscriber get room after every batch.
    while taken < limit {
      let batch = reader.drain(limit: min(limit - taken, 64)) { show($0, body) }
      if batch == 0 { break }
      taken += batch
    }
    return taken
  }

  private func show(_ record: RingRecord, _ body: (RecordView) -> Bool) -> Bool {
    if loss.takesNext() {
      // Counted here, and taken out of what the reader counts as muted when the account is made.
      simulated.wrappingAdd(1, ordering: .relaxed)
      hasGap = true
      return false
    }
    guard let base = record.bytes.baseAddress else { return false }
    let event = base.assumingMemoryBound(to: kemon_event.self)
    if !hasGap, record.lostBefore == 0 { return body(RecordView(trusted: event)) }
    hasGap = false
    return withMarkedCopy(of: record.bytes, body)
  }

  /// The first record behind a gap says so; in a copy, because others may read the same bytes.
  private func withMarkedCopy(
    of bytes: UnsafeRawBufferPointer, _ body: (RecordView) -> Bool
  ) -> Bool {
    let count = (bytes.count + 7) / 8
    if marked.count < count { marked = [UInt64](repeating: 0, count: count) }
    return marked.withUnsafeMutableBytes { copy in
      copy.copyMemory(from: bytes)
      guard let base = copy.baseAddress else { return false }
      let event = base.assumingMemoryBound(to: kemon_event.self)
      event.pointee.flags |= UInt16(KEMON_EV_GAP_BEFORE)
      return body(RecordView(trusted: event))
    }
  }

  /// Parks the calling thread until something is published or the time is over; may return early.
  public func wait(milliseconds: Int) { reader.park(milliseconds: milliseconds) }

  /// How many events of the ring lie behind the subscriber.
  public var position: UInt64 { reader.position }

  /// Whether the producers gave up waiting for it, because it stood still for too long.
  public var isEvicted: Bool { reader.isEvicted }

  /// Leaves the ring; what was not drained counts as lost.
  ///
  /// Harmless when repeated.
  public func cancel() { reader.cancel() }

  /// What became of every event since joining; exact while nobody drains, and once the subscriber has left.
  public var account: SubscriberAccount {
    var account = reader.account(named: name)
    let simulated = simulated.load(ordering: .relaxed)
    account.muted -= min(simulated, account.muted)
    account.losses.simulated = simulated
    account.lost += simulated
    return account
  }
}
