// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
public import KemonEvents
internal import Synchronization

// Unchecked: everything behind `memory` is atomic, `retired` and `names` are behind a lock, the rest is constant.
/// The broadcast ring: many producers, and subscribers who each see everything with a cursor of their own.
///
/// ```
///  producers ──claim──▶ │ slot │ slot │ slot │ … │ ◀──cursor── recorder (block)
///                         stamp: writing → published  ◀──cursor── observer (drop, lost counted)
/// ```
///
/// A producer claims a sequence, copies its record into the slot of that sequence and stamps the slot. A subscriber
/// reads the slot at its cursor once the stamp says it is published. Subscribers that *block* hold the producers
/// back; subscribers that *drop* copy the record out and look at the stamp again: when a producer came around
/// meanwhile, the event counts as lost.
///
/// Any thread may publish; a thread that publishes waits for nobody unless a blocking subscriber asked for it.
public final class EventRing: @unchecked Sendable {
  let memory: RingMemory
  private let slots: UInt64
  private let retired = Mutex<[UInt]>([])

  /// Makes a ring.
  ///
  /// - Parameters:
  ///   - slots: how many events it holds; rounded up to a power of two.
  ///   - slotBytes: bytes of a slot; larger records take a block of their own.
  public init(slots: Int = 8192, slotBytes: Int = 512) {
    var count = 4
    while count < slots { count *= 2 }
    memory = RingMemory(slots: count, slotBytes: max(slotBytes, 256))
    self.slots = UInt64(count)
    memory.gate.pointee.store(UInt64(count), ordering: .relaxed)
  }

  deinit {
    for address in retired.withLock({ $0 }) {
      UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }
    memory.deallocate()
  }

  /// How many events were published, or are just being published.
  public var published: UInt64 { memory.claim.pointee.load(ordering: .sequentiallyConsistent) }

  /// Copies a record into the ring and wakes who sleeps.
  ///
  /// - Parameter builder: holds a sealed record; its `seq` is set here.
  public func publish(_ builder: inout RecordBuilder) {
    let sequence = memory.claim.pointee
      .wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
    builder.header.pointee.seq = sequence + 1
    if sequence >= memory.gate.pointee.load(ordering: .acquiring) { waitForGate(sequence) }

    let slot = memory.slot(sequence)
    let before = sequence < slots ? 0 : Stamp.published(sequence - slots)
    while slot[0].load(ordering: .acquiring) != before { sched_yield() }
    slot[0].store(Stamp.writing(sequence), ordering: .relaxed)
    atomicMemoryFence(ordering: .releasing)
    let record = builder.view
    let target = room(in: slot, for: record.size)
    slot[1].store(UInt64(record.size), ordering: .relaxed)
    let source = record.bytes.baseAddress?.assumingMemoryBound(to: UInt64.self)
    if let source {
      for index in 0..<(record.size / 8) { target[index].store(source[index], ordering: .relaxed) }
    }
    slot[0].store(Stamp.published(sequence), ordering: .sequentiallyConsistent)
    if memory.sleepers.pointee.load(ordering: .sequentiallyConsistent) != 0 { wake() }
  }

  /// Joins the ring: everything published from now on is there for the new subscriber.
  ///
  /// - Parameters:
  ///   - name: for accounts and messages.
  ///   - overflow: what happens when it is a whole ring behind.
  public func subscribe(named name: String, overflow: OverflowPolicy) -> Subscription {
    for index in 0..<RingMemory.subscriberLimit {
      let line = memory.subscriber(index)
      let (free, _) = line[0].compareExchange(
        expected: SubscriberState.free, desired: SubscriberState.joining,
        ordering: .sequentiallyConsistent)
      guard free else { continue }
      // A gating subscriber must be seen by producers before its first event is fixed; see waitForGate.
      line[1].store(published, ordering: .sequentiallyConsistent)
      line[0].store(
        overflow == .block ? SubscriberState.gating : SubscriberState.dropping,
        ordering: .sequentiallyConsistent)
      let first = published
      line[1].store(first, ordering: .sequentiallyConsistent)
      return Subscription(ring: self, line: index, name: name, overflow: overflow, first: first)
    }
    preconditionFailure("more than \(RingMemory.subscriberLimit) subscribers")
  }

  /// Waits until the slot of a sequence has been read by every gating subscriber.
  ///
  /// The limit is taken from the claim word before the subscribers are looked at: who joins later starts at or
  /// behind that claim, so it cannot be overrun by a limit that does not know it yet.
  private func waitForGate(_ sequence: UInt64) {
    var turns = 0
    while true {
      var limit = published + slots
      for index in 0..<RingMemory.subscriberLimit {
        let line = memory.subscriber(index)
        guard line[0].load(ordering: .sequentiallyConsistent) == SubscriberState.gating else {
          continue
        }
        limit = min(limit, line[1].load(ordering: .acquiring) + slots)
      }
      if sequence < limit {
        memory.gate.pointee.store(limit, ordering: .releasing)
        return
      }
      turns += 1
      if turns < 64 { sched_yield() } else { usleep(50) }
    }
  }

  /// Where a record of that size goes: the slot itself or its spill block, made or made larger here.
  ///
  /// A block that has become too small is kept until the ring dies, because a lapped reader may still look at it.
  private func room(in slot: RingWord, for size: Int) -> RingWord {
    if size <= memory.inlineCapacity { return slot + RingMemory.slotHeaderWords }
    let address = slot[2].load(ordering: .relaxed)
    if let block = RingMemory.spill(address, holding: size) { return block }
    if address != 0 { retired.withLock { $0.append(UInt(address)) } }
    let larger = RingMemory.allocateSpill(holding: size)
    slot[2].store(larger.address, ordering: .releasing)
    return larger.words
  }

  /// Wakes every subscriber that waits, though nothing was published.
  public func wakeAll() {
    memory.sleepers.pointee.store(1, ordering: .sequentiallyConsistent)
    wake()
  }

  /// Wakes all sleepers; of several producers the one that takes the flag pays for the system call.
  private func wake() {
    guard memory.sleepers.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 else {
      return
    }
    memory.wakeups.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    ckemon_futex_wake_all(memory.wakeups)
  }
}

/// What a subscriber's line is used for.
enum SubscriberState {
  static let free: UInt64 = 0
  static let joining: UInt64 = 1
  static let dropping: UInt64 = 2
  static let gating: UInt64 = 3
}
