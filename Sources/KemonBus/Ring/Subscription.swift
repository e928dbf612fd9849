// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
internal import Synchronization

// Unchecked: what `state` points to belongs to the one draining thread, the counter is atomic, the rest is constant.
/// A subscriber's place in an ``EventRing``.
///
/// One thread at a time drains it; any thread may read the account or cancel once the draining thread has stopped.
public final class Subscription: @unchecked Sendable {
  /// What changes from event to event; behind a pointer, so that no access to it is checked.
  private struct State {
    var loss: SimulatedLoss
    var hasGap = false
    /// Where a record is marked as standing behind a gap.
    var copy: UnsafeMutableRawPointer?
    var copyCapacity = 0
  }

  private let reader: RingReader
  private let name: String
  private let simulated = Atomic<UInt64>(0)
  private let state: UnsafeMutablePointer<State>

  init(ring: EventRing, reader: RingReader, name: String) {
    self.reader = reader
    self.name = name
    state = .allocate(capacity: 1)
    state.initialize(to: State(loss: ring.simulatedLoss))
  }

  deinit {
    state.pointee.copy?.deallocate()
    state.deallocate()
  }

  /// Hands over what is published, oldest first.
  ///
  /// - Parameters:
  ///   - limit: how many events at most.
  ///   - body: gets a record that is valid during the call; true = delivered, false = muted.
  /// - Returns: how many events were taken; 0 when nothing is there.
  public func drain(limit: Int = 1024, _ body: (RecordView) -> Bool) -> Int {
    let state = state
    var taken = 0
    // Producers that wait for this subscriber get room after every batch.
    while taken < limit {
      let batch = reader.drain(limit: min(limit &- taken, 64)) { record in
        guard let base = record.bytes.baseAddress else { return false }
        if state.pointee.loss.percent == 0, record.lostBefore == 0 {
          return body(RecordView(trusted: base.assumingMemoryBound(to: kemon_event.self)))
        }
        return show(record, body)
      }
      if batch == 0 { break }
      taken &+= batch
    }
    return taken
  }

  /// The way of an event that is lost on purpose, or stands behind a gap.
  @inline(never)
  private func show(_ record: RingRecord, _ body: (RecordView) -> Bool) -> Bool {
    if record.lostBefore > 0 { state.pointee.hasGap = true }
    if state.pointee.loss.takesNext() {
      // Counted here, and taken out of what the reader counts as muted when the account is made.
      simulated.wrappingAdd(1, ordering: .relaxed)
      state.pointee.hasGap = true
      return false
    }
    guard let base = record.bytes.baseAddress else { return false }
    guard state.pointee.hasGap else {
      return body(RecordView(trusted: base.assumingMemoryBound(to: kemon_event.self)))
    }
    state.pointee.hasGap = false
    return body(RecordView(trusted: marked(record.bytes)))
  }

  /// A copy that says that it stands behind a gap: others may be reading the same bytes.
  private func marked(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<kemon_event> {
    if bytes.count > state.pointee.copyCapacity {
      state.pointee.copy?.deallocate()
      state.pointee.copyCapacity = bytes.count * 2
      state.pointee.copy = .allocate(byteCount: bytes.count * 2, alignment: 16)
    }
    guard let copy = state.pointee.copy, let source = bytes.baseAddress else {
      preconditionFailure("a record has bytes")
    }
    copy.copyMemory(from: source, byteCount: bytes.count)
    let event = copy.assumingMemoryBound(to: kemon_event.self)
    event.pointee.flags |= UInt16(KEMON_EV_GAP_BEFORE)
    return UnsafePointer(event)
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
