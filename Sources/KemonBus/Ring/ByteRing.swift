// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
public import Synchronization

// Unchecked: the class has constants only; every word that changes is an atomic in `memory`, or bytes of a slot that
// the protocol gives to one thread at a time.
/// The broadcast ring: producers publish bytes, and subscribers each see everything with a cursor of their own.
///
/// ```
///  producers ──claim──▶ │ slot │ slot │ slot │ … │ ◀──cursor── gating reader: producers wait for it
///                         stamp: writing → published  ◀──cursor── copying reader: may be lapped
/// ```
///
/// A producer claims a sequence, copies its bytes into the slot of that sequence, and stamps the slot: slots become
/// readable one by one, there is no end-of-queue for all to fight about. Readers that *gate* read in place; a
/// producer that would overtake one waits. Readers that *copy* take the bytes out and look at the stamp again.
///
/// Any thread may publish and subscribe. No operation allocates, locks or counts a reference; none enters the kernel
/// unless somebody sleeps, or the ring is full.
public final class ByteRing: @unchecked Sendable {
  let memory: RingMemory
  let layout: RingLayout

  @usableFromInline let slotsBase: UnsafeMutableRawPointer
  @usableFromInline let arenaBase: UnsafeMutableRawPointer
  @usableFromInline let slotMask: UInt64
  @usableFromInline let slotStride: Int
  @usableFromInline let blockStride: Int
  @usableFromInline let slotHeader: Int
  @usableFromInline let inlineCapacity: Int
  /// Up to this size records are copied with their first word by itself.
  @usableFromInline let wordFirstLimit: Int

  /// The next sequence to be claimed.
  @usableFromInline let claim: RingWord
  /// Sequences below this are known not to run into a gating reader.
  @usableFromInline let limit: RingWord
  /// How many read: in place in the low half, copying in the high half.
  @usableFromInline let audience: RingWord
  /// Subscribers' lines from this index on were never used.
  let lineCount: RingWord
  /// Records that were refused because they are too large, or because the ring was full.
  let refusals: RingWord
  /// Nonzero when a reader lost records that must not lose any.
  let overflows: RingWord
  /// Of the process on the other side of a shared ring: its pidfd plus one; 0 when it is not watched.
  let peer: RingWord
  /// Nonzero when some reader may be asleep.
  @usableFromInline let sleepers: RingWord
  /// Counts wake-ups; its low half is the futex.
  let wakeups: RingWord

  /// Claims are read-modify-writes: several threads publish.
  @usableFromInline let hasManyProducers: Bool
  /// Producers fence before they look for sleepers, because the sleepers cannot fence for them.
  @usableFromInline let fencesItself: Bool
  /// Another process is on the other side.
  @usableFromInline let isShared: Bool

  /// The largest record that is taken, in bytes.
  public let recordLimit: Int

  /// How many records the ring holds.
  public var slotCount: Int { Int(slotMask) + 1 }

  /// Makes a ring in the memory of this process.
  ///
  /// - Throws: ``RingError`` when the measures are impossible or there is no memory.
  public convenience init(_ configuration: RingConfiguration = RingConfiguration())
    throws(RingError)
  {
    let layout = try RingLayout(configuration)
    let memory = try RingMemory(private: layout)
    // Without the kernel's help the claim itself has to be the fence.
    let hasBarrier = ckemon_barrier_prepare() == 1
    self.init(
      memory: memory, layout: layout, control: memory,
      hasManyProducers: configuration.producers == .many || !hasBarrier,
      fencesItself: !hasBarrier, isShared: false)
  }

  /// Makes a ring over memory.
  ///
  /// - Parameter control: where the words lie that only the producers' side uses; the ring's own memory, or memory
  ///   that the other process cannot reach.
  init(
    memory: RingMemory, layout: RingLayout, control: RingMemory, hasManyProducers: Bool,
    fencesItself: Bool, isShared: Bool
  ) {
    self.memory = memory
    self.layout = layout
    slotsBase = memory.base + RingLayout.slotsOffset
    arenaBase = memory.base + layout.arenaOffset
    slotMask = UInt64(layout.slots - 1)
    slotStride = layout.slotBytes
    blockStride = layout.blockBytes
    slotHeader = layout.slotHeader
    inlineCapacity = layout.slotBytes - layout.slotHeader
    wordFirstLimit = layout.slotHeader == 8 ? layout.slotBytes - 8 : 0
    recordLimit = layout.recordLimit
    claim = control.word(at: RingLayout.claim)
    limit = control.word(at: RingLayout.control)
    audience = control.word(at: RingLayout.control + 8)
    lineCount = control.word(at: RingLayout.control + 16)
    refusals = control.word(at: RingLayout.control + 24)
    overflows = control.word(at: RingLayout.control + 32)
    peer = control.word(at: RingLayout.sleeping)
    sleepers = memory.word(at: RingLayout.sleeping)
    wakeups = memory.word(at: RingLayout.sleeping + 8)
    self.hasManyProducers = hasManyProducers
    self.fencesItself = fencesItself
    self.isShared = isShared
  }

  /// How many records were published, or are just being published.
  public var published: UInt64 { claim.pointee.load(ordering: .sequentiallyConsistent) }

  /// How many records were refused: too large, or no room for one that could not wait.
  public var refused: UInt64 { refusals.pointee.load(ordering: .relaxed) }

  /// Whether records may want answers.
  @inlinable
  public var hasAnswers: Bool { slotHeader == 16 }

  // MARK: Places

  /// The slot of a sequence: its stamp, then its answer if the ring has any, then its bytes.
  @inlinable @inline(__always)
  func slot(_ sequence: UInt64) -> RingWord {
    (slotsBase + Int(truncatingIfNeeded: sequence & slotMask) &* slotStride)
      .assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Where a record of that size lies: in its slot, or in the slot's block of the arena.
  @inlinable @inline(__always)
  func place(_ slot: RingWord, _ sequence: UInt64, _ size: Int) -> UnsafeMutableRawPointer {
    size <= inlineCapacity
      ? UnsafeMutableRawPointer(slot) + slotHeader
      : arenaBase + Int(truncatingIfNeeded: sequence & slotMask) &* blockStride
  }

  /// A subscriber's line: state, cursor, and how long it may stand still.
  func line(_ index: Int) -> RingWord {
    memory.word(at: RingLayout.subscribers + index * RingLayout.line)
  }

  /// Makes what this thread stored visible before what it loads next, to producers that only keep the compiler in order.
  func fenceForProducers() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if !fencesItself { ckemon_barrier_everywhere() }
  }
}

/// What a subscriber's line is used for.
enum LineState {
  static let free: UInt64 = 0
  static let joining: UInt64 = 1
  static let copying: UInt64 = 2
  static let gating: UInt64 = 3
  /// The producers no longer wait for it, because it stood still for too long.
  static let evicted: UInt64 = 4
}
