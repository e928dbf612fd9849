// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// One word of the ring that several threads write.
typealias RingWord = UnsafeMutablePointer<Atomic<UInt64>>

/// The raw memory of a ring: slots and subscribers' lines.
///
/// All words that more than one thread writes are reached as atomics through pointers: no exclusivity check, no
/// reference count, and nothing for a race detector to find. This file and ``EventRing`` are the audited pair.
struct RingMemory {
  /// Bytes of a cache line pair: what the hardware fetches together.
  static let line = 128
  /// Words in front of a slot's bytes: stamp, size, address of the spill block.
  static let slotHeaderWords = 3
  /// How many may subscribe at a time.
  static let subscriberLimit = 64

  let slotCount: Int
  let slotStride: Int
  private let base: UnsafeMutableRawPointer
  private let slotsOffset: Int

  init(slots: Int, slotBytes: Int) {
    slotCount = slots
    slotStride = (slotBytes + 63) & ~63
    slotsOffset = Self.line * (Self.subscriberLimit + 3)
    let bytes = slotsOffset + slotCount * slotStride
    base = .allocate(byteCount: bytes, alignment: Self.line)
    base.initializeMemory(as: UInt64.self, repeating: 0, count: bytes / 8)
  }

  func deallocate() {
    for index in 0..<slotCount {
      let address = UInt(slot(UInt64(index))[2].load(ordering: .relaxed))
      UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }
    base.deallocate()
  }

  private func word(at offset: Int) -> RingWord {
    (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// The next sequence to be claimed.
  var claim: RingWord { word(at: 0) }
  /// Sequences below this are known not to run into a gating subscriber.
  var gate: RingWord { word(at: Self.line) }
  /// Nonzero when some subscriber may be asleep.
  var sleepers: RingWord { word(at: Self.line * 2) }
  /// Counts wake-ups; its low half is the futex.
  var wakeups: RingWord { word(at: Self.line * 2 + 8) }

  /// A subscriber's line: state, then cursor.
  func subscriber(_ index: Int) -> RingWord { word(at: Self.line * (3 + index)) }

  /// The slot of a sequence.
  func slot(_ sequence: UInt64) -> RingWord {
    word(at: slotsOffset + Int(sequence & UInt64(slotCount - 1)) * slotStride)
  }

  /// The words of a spill block, or nil when there is none or it is too small.
  ///
  /// Its capacity stands in its first word, so that a reader never pairs one block with the capacity of another.
  static func spill(_ address: UInt64, holding size: Int) -> RingWord? {
    guard let block = UnsafeMutableRawPointer(bitPattern: UInt(address)) else { return nil }
    let words = block.assumingMemoryBound(to: Atomic<UInt64>.self)
    return size <= Int(words[0].load(ordering: .relaxed)) ? words + 8 : nil
  }

  /// A new spill block.
  static func allocateSpill(holding size: Int) -> (address: UInt64, words: RingWord) {
    var capacity = 1024
    while capacity < size { capacity *= 2 }
    let block = UnsafeMutableRawPointer.allocate(byteCount: capacity + 64, alignment: 64)
    block.initializeMemory(as: UInt64.self, repeating: 0, count: capacity / 8 + 8)
    let words = block.assumingMemoryBound(to: Atomic<UInt64>.self)
    words[0].store(UInt64(capacity), ordering: .relaxed)
    return (UInt64(UInt(bitPattern: block)), words + 8)
  }

  /// Bytes of a record that a slot holds itself; larger ones go to the slot's spill block.
  var inlineCapacity: Int { slotStride - Self.slotHeaderWords * 8 }
}

/// The life of a slot for one sequence, as numbers that only grow.
enum Stamp {
  /// The record of the sequence is being written.
  static func writing(_ sequence: UInt64) -> UInt64 { (sequence + 1) * 2 - 1 }
  /// The record of the sequence can be read.
  static func published(_ sequence: UInt64) -> UInt64 { (sequence + 1) * 2 }
}
