// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
public import KemonEvents
internal import Synchronization

// Unchecked: the counters are atomic, the scratch buffer belongs to the one draining thread.
/// A subscriber's place in an ``EventRing``.
///
/// One thread at a time drains it; any thread may read the account or cancel once the draining thread has stopped.
public final class Subscription: @unchecked Sendable {
  private let ring: EventRing
  private let line: Int
  private let name: String
  private let overflow: OverflowPolicy
  private let first: UInt64
  private let delivered = Atomic<UInt64>(0)
  private let muted = Atomic<UInt64>(0)
  private let lost = Atomic<UInt64>(0)
  /// The sequence at which the subscriber left, plus one; 0 while it is there.
  private let left = Atomic<UInt64>(0)
  private var scratch: UnsafeMutableRawPointer
  private var scratchCapacity: Int
  private var hasGap = false

  init(ring: EventRing, line: Int, name: String, overflow: OverflowPolicy, first: UInt64) {
    self.ring = ring
    self.line = line
    self.name = name
    self.overflow = overflow
    self.first = first
    scratchCapacity = 4096
    scratch = .allocate(byteCount: scratchCapacity, alignment: 8)
  }

  deinit {
    cancel()
    scratch.deallocate()
  }

  private var cursor: RingWord { ring.memory.subscriber(line) + 1 }

  /// Hands over what is published, oldest first.
  ///
  /// - Parameters:
  ///   - limit: how many events at most.
  ///   - body: gets a record that is valid during the call; true = delivered, false = muted.
  /// - Returns: how many events were taken; 0 when nothing is there.
  public func drain(limit: Int = 1024, _ body: (RecordView) -> Bool) -> Int {
    guard left.load(ordering: .acquiring) == 0 else { return 0 }
    var next = cursor.pointee.load(ordering: .relaxed)
    var counts = (delivered: UInt64(0), muted: UInt64(0))
    var taken = 0
    while taken < limit {
      let slot = ring.memory.slot(next)
      let stamp = slot[0].load(ordering: .acquiring)
      if stamp < Stamp.published(next) { break }
      if stamp > Stamp.published(next) {
        next = skipLost(from: next)
        continue
      }
      guard let record = read(slot, next) else {
        next = skipLost(from: next)
        continue
      }
      if body(record) { counts.delivered += 1 } else { counts.muted += 1 }
      next += 1
      taken += 1
      // Producers that wait for this subscriber get room in time, not only at the end of the batch.
      if taken & 63 == 0 { cursor.pointee.store(next, ordering: .releasing) }
    }
    delivered.wrappingAdd(counts.delivered, ordering: .relaxed)
    muted.wrappingAdd(counts.muted, ordering: .relaxed)
    cursor.pointee.store(next, ordering: .releasing)
    return taken
  }

  /// Parks the calling thread until something is published or the time is over; may return early.
  public func wait(milliseconds: Int) {
    let memory = ring.memory
    let ticket = UInt32(
      truncatingIfNeeded: memory.wakeups.pointee.load(ordering: .sequentiallyConsistent))
    memory.sleepers.pointee.store(1, ordering: .sequentiallyConsistent)
    let next = cursor.pointee.load(ordering: .relaxed)
    if memory.slot(next)[0].load(ordering: .sequentiallyConsistent) >= Stamp.published(next) {
      return
    }
    _ = ckemon_futex_wait(memory.wakeups, ticket, UInt64(max(milliseconds, 0)) * 1_000_000)
  }

  /// How many events of the ring lie behind the subscriber.
  public var position: UInt64 { cursor.pointee.load(ordering: .acquiring) }

  /// Leaves the ring; what was not drained counts as lost.
  ///
  /// Harmless when repeated.
  public func cancel() {
    let end = ring.published
    let (isFirst, _) = left.compareExchange(
      expected: 0, desired: end + 1, ordering: .sequentiallyConsistent)
    guard isFirst else { return }
    let next = cursor.pointee.load(ordering: .acquiring)
    lost.wrappingAdd(end - min(next, end), ordering: .relaxed)
    ring.memory.subscriber(line)[0].store(SubscriberState.free, ordering: .sequentiallyConsistent)
  }

  /// What became of every event since joining; exact while nobody drains, and once the subscriber has left.
  public var account: SubscriberAccount {
    let end = left.load(ordering: .acquiring)
    let produced = (end == 0 ? ring.published : end - 1) - first
    let delivered = delivered.load(ordering: .relaxed)
    let muted = muted.load(ordering: .relaxed)
    let lost = lost.load(ordering: .relaxed)
    let known = delivered + muted + lost
    return SubscriberAccount(
      name: name, produced: produced, delivered: delivered, muted: muted, lost: lost,
      pending: end == 0 ? produced - min(known, produced) : 0)
  }

  // MARK: Reading

  /// The record of a sequence, or nil when a producer has taken the slot away meanwhile.
  private func read(_ slot: RingWord, _ sequence: UInt64) -> RecordView? {
    let size = Int(slot[1].load(ordering: .relaxed))
    let source: RingWord
    if size <= ring.memory.inlineCapacity {
      source = slot + RingMemory.slotHeaderWords
    } else {
      // A lapped reader may see the size of one record and the block of another: never past the block's end.
      let address = slot[2].load(ordering: .acquiring)
      guard let block = RingMemory.spill(address, holding: size) else { return nil }
      source = block
    }
    if overflow == .block {
      let record = RecordView(
        trusted: UnsafeRawPointer(source).assumingMemoryBound(to: kemon_event.self))
      return record
    }
    return copyOut(source, size, slot, sequence)
  }

  private func copyOut(
    _ source: RingWord, _ size: Int, _ slot: RingWord, _ sequence: UInt64
  ) -> RecordView? {
    if size > scratchCapacity {
      scratch.deallocate()
      scratchCapacity = size * 2
      scratch = .allocate(byteCount: scratchCapacity, alignment: 8)
    }
    let target = scratch.assumingMemoryBound(to: UInt64.self)
    for index in 0..<(size / 8) { target[index] = source[index].load(ordering: .relaxed) }
    atomicMemoryFence(ordering: .acquiring)
    guard slot[0].load(ordering: .relaxed) == Stamp.published(sequence) else { return nil }
    let event = scratch.assumingMemoryBound(to: kemon_event.self)
    if hasGap {
      event.pointee.flags |= UInt16(KEMON_EV_GAP_BEFORE)
      hasGap = false
    }
    return RecordView(trusted: event)
  }

  /// Gives up what was overwritten and goes on a little above the oldest event that is still there.
  private func skipLost(from next: UInt64) -> UInt64 {
    let slots = UInt64(ring.memory.slotCount)
    let end = ring.published
    let oldest = end > slots ? end - slots + slots / 8 : 0
    let target = max(next + 1, min(oldest, end))
    lost.wrappingAdd(target - next, ordering: .relaxed)
    hasGap = true
    return target
  }
}
