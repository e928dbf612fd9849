// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform
public import Synchronization

extension ByteRing {
  /// Publishes bytes; waits while a gating reader is a whole ring behind.
  ///
  /// - Returns: the sequence that the record got, from 0.
  /// - Throws: ``RingError/Code/recordTooLarge``; the refusal is counted.
  @inlinable @inline(__always) @discardableResult
  public func publish(_ bytes: UnsafeRawBufferPointer) throws(RingError) -> UInt64 {
    try publish(byteCount: bytes.count) { _ in bytes.baseAddress }
  }

  /// Publishes bytes that want to know their sequence.
  ///
  /// - Parameters:
  ///   - byteCount: how many bytes.
  ///   - source: gets the sequence and says where the bytes are; they are copied at once.
  @inlinable @inline(__always) @discardableResult
  public func publish(
    byteCount: Int, _ source: (UInt64) -> UnsafeRawPointer?
  ) throws(RingError) -> UInt64 {
    guard byteCount <= recordLimit else { throw refuse(byteCount) }
    return publishFitting(byteCount: byteCount, source)
  }

  /// Publishes bytes that are not too many.
  @inlinable @inline(__always) @discardableResult
  func publishFitting(byteCount: Int, _ source: (UInt64) -> UnsafeRawPointer?) -> UInt64 {
    let sequence = claimNext()
    if sequence >= limit.pointee.load(ordering: .acquiring) { waitForRoom(sequence) }
    if hasManyProducers { waitForSlot(sequence) }
    write(sequence, source(sequence), byteCount, answer: 0)
    return sequence
  }

  /// Publishes bytes if there is room, and never claims what it cannot publish.
  ///
  /// - Returns: the sequence; nil when a gating reader is a whole ring behind, which counts as refused.
  /// - Throws: ``RingError/Code/recordTooLarge``; the refusal is counted.
  @inlinable @inline(__always) @discardableResult
  public func tryPublish(_ bytes: UnsafeRawBufferPointer) throws(RingError) -> UInt64? {
    guard bytes.count <= recordLimit else { throw refuse(bytes.count) }
    guard let sequence = tryClaim(forRequest: false) else { return nil }
    write(sequence, bytes.baseAddress, bytes.count, answer: 0)
    return sequence
  }

  // MARK: Steps

  /// Takes the next sequence for this thread, whether or not there is room for it.
  @inlinable @inline(__always)
  func claimNext() -> UInt64 {
    if hasManyProducers {
      let sequence = claim.pointee.load(ordering: .relaxed)
      let isMine = claim.pointee.compareExchange(
        expected: sequence, desired: sequence &+ 1, ordering: .sequentiallyConsistent
      ).exchanged
      return isMine ? sequence : claimLater()
    }
    let sequence = claim.pointee.load(ordering: .relaxed)
    claim.pointee.store(sequence &+ 1, ordering: .releasing)
    // Who joins makes this thread fence between its claim and its look at the audience.
    ckemon_light_fence()
    return sequence
  }

  /// Takes the next sequence if its slot can be written at once.
  ///
  /// - Parameter forRequest: the slot's last answer must have been taken, too.
  @usableFromInline
  func tryClaim(forRequest: Bool) -> UInt64? {
    var sequence = claim.pointee.load(ordering: .relaxed)
    while true {
      let slot = slot(sequence)
      guard sequence < limit.pointee.load(ordering: .acquiring) || refreshLimit(for: sequence),
        isFree(slot, sequence),
        !forRequest || slot[1].load(ordering: .acquiring) == RingAnswer.none
      else {
        // Somebody may have claimed it meanwhile: then the slot says nothing about the next one.
        let now = claim.pointee.load(ordering: .acquiring)
        if now != sequence {
          sequence = now
          continue
        }
        refusals.pointee.wrappingAdd(1, ordering: .relaxed)
        return nil
      }
      if !hasManyProducers { return claimNext() }
      let isMine = claim.pointee.compareExchange(
        expected: sequence, desired: sequence &+ 1, ordering: .sequentiallyConsistent
      ).exchanged
      if isMine { return sequence }
      sequence = stepBack()
    }
  }

  /// Whether the slot's record of the lap before is complete.
  @inlinable @inline(__always)
  func isFree(_ slot: RingWord, _ sequence: UInt64) -> Bool {
    sequence <= slotMask
      || RingStamp.isComplete(slot[0].load(ordering: .acquiring), sequence &- slotMask &- 1)
  }

  /// Waits for a producer that is a whole lap behind.
  @inlinable @inline(__always)
  func waitForSlot(_ sequence: UInt64) {
    let slot = slot(sequence)
    if !isFree(slot, sequence) { waitForProducer(slot, sequence) }
  }

  /// Copies the bytes of a claimed sequence into its slot, stamps it, and wakes who sleeps.
  ///
  /// A ring that is read in place by everyone takes a plain copy: readers and writers of the bytes are ordered by the
  /// stamp on one side and by the cursors on the other. When someone may be lapped, the bytes are written as relaxed
  /// atomic words, because he may be reading them just now; he sees by the stamp that they are not what he wanted.
  /// Who copies sets `audience` before he reads `claim` for his first sequence, and a producer claims before it
  /// reads `audience`: so every record that he can want was written by a producer that knew of him.
  @inlinable @inline(__always)
  func write(_ sequence: UInt64, _ source: UnsafeRawPointer?, _ size: Int, answer: UInt64) {
    let slot = slot(sequence)
    let audience = audience.pointee.load(ordering: .sequentiallyConsistent)
    if hasAnswers { slot[1].store(answer, ordering: .relaxed) }
    if audience >> 32 != 0 {
      slot[0].store(RingStamp.writing(sequence), ordering: .relaxed)
      atomicMemoryFence(ordering: .releasing)
      copyWords(place(slot, sequence, size), source, size)
      slot[0].store(RingStamp.published(sequence) | UInt64(size), ordering: .releasing)
    } else if audience != 0, let source {
      if isShared {
        // What a producer that dies in here leaves behind.
        slot[0].store(RingStamp.writing(sequence), ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
      }
      // What does not lie in the line of its stamp.
      if size > (hasAnswers ? 48 : 56) { prefetchAhead(sequence, size) }
      copyPlainly(place(slot, sequence, size), source, size)
      slot[0].store(RingStamp.published(sequence) | UInt64(size), ordering: .releasing)
    } else {
      // Nobody is there, and who joins later begins behind this record.
      slot[0].store(RingStamp.published(sequence), ordering: .releasing)
    }
    // Who goes to sleep makes this thread fence between its stamp and its look at the sleepers.
    if fencesItself { atomicMemoryFence(ordering: .sequentiallyConsistent) }
    ckemon_light_fence()
    if sleepers.pointee.load(ordering: .relaxed) != 0 { wake() }
  }

  /// Asks for the lines of a slot that is soon to be written, because readers have them still: of a record over several
  /// lines the processor foresees no more than the first.
  @inlinable @inline(__always)
  func prefetchAhead(_ sequence: UInt64, _ size: Int) {
    let ahead = UnsafeRawPointer(slot(sequence &+ 8))
    var offset = 0
    while offset < size &+ 8, offset < 512 {
      ckemon_prefetch_for_write(ahead + offset)
      offset &+= 64
    }
  }

  /// Copies bytes that nobody reads meanwhile.
  ///
  /// In a slot behind a stamp alone they begin 8 bytes off a multiple of 16: with the first word by itself all other
  /// stores are aligned, and none touches two lines. What fits one line anyway needs no such care.
  @inlinable @inline(__always)
  func copyPlainly(_ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ size: Int) {
    guard size > 64, size <= wordFirstLimit else {
      return target.copyMemory(from: source, byteCount: size)
    }
    target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
    (target + 8).copyMemory(from: source + 8, byteCount: size &- 8)
  }

  @inlinable
  func copyWords(_ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer?, _ size: Int) {
    guard let source else { return }
    let words = target.assumingMemoryBound(to: Atomic<UInt64>.self)
    let whole = size &>> 3
    for index in 0..<whole {
      words[index].store(
        source.loadUnaligned(fromByteOffset: index &<< 3, as: UInt64.self), ordering: .relaxed)
    }
    if size & 7 != 0 {
      var last: UInt64 = 0
      withUnsafeMutableBytes(of: &last) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: source + whole &<< 3, count: size & 7))
      }
      words[whole].store(last, ordering: .relaxed)
    }
  }

  /// Counts a record that is not taken.
  func countRefusal() { refusals.pointee.wrappingAdd(1, ordering: .relaxed) }

  /// Counts a record that is too large, and says so.
  @usableFromInline
  func refuse(_ byteCount: Int) -> RingError {
    countRefusal()
    return RingError(
      .recordTooLarge, "a record of \(byteCount) bytes, the ring takes at most \(recordLimit)")
  }
}
