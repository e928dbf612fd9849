// SPDX-License-Identifier: Apache-2.0

public import Synchronization

extension RingReader {
  /// Hands over what is published, oldest first, and lets producers go on only then: keep batches short.
  ///
  /// - Parameters:
  ///   - limit: how many records at most.
  ///   - body: gets a record that is valid during the call; true = delivered, false = muted.
  /// - Returns: how many records were taken; 0 when nothing is there.
  @inlinable @inline(__always) @discardableResult
  public func drain(limit: Int = 64, _ body: (RingRecord) -> Bool) -> Int {
    guard get(Word.left) == 0 else { return 0 }
    return isPlain ? drainInPlace(limit, body) : drainCarefully(limit, body)
  }

  /// The way of readers that nothing can be taken from: they see every record, and producers wait for them.
  @inlinable @inline(__always)
  func drainInPlace(_ limit: Int, _ body: (RingRecord) -> Bool) -> Int {
    let first = get(Word.next)
    let end = first &+ UInt64(truncatingIfNeeded: limit)
    var next = first
    var muted: UInt64 = 0
    var lost = get(Word.lostSinceLast)
    while next != end {
      let slot = ring.slot(next)
      let stamp = slot[0].load(ordering: .acquiring)
      guard RingStamp.isPublished(stamp, next) else {
        if next == first, RingStamp.isBeyond(stamp, next) { return passGap(next) }
        break
      }
      let size = Int(truncatingIfNeeded: stamp & RingStamp.sizeMask)
      let bytes = UnsafeRawBufferPointer(start: ring.place(slot, next, size), count: size)
      if !body(RingRecord(sequence: next, bytes: bytes, lostBefore: lost)) { muted &+= 1 }
      lost = 0
      next &+= 1
    }
    if next != first {
      set(Word.lostSinceLast, 0)
      set(Word.next, next)
      add(Word.delivered, next &- first &- muted)
      if muted != 0 { add(Word.muted, muted) }
      cursor.pointee.store(next, ordering: .releasing)
    }
    return Int(truncatingIfNeeded: next &- first)
  }

  /// The way of readers that may be lapped, or that want only a sample.
  @inlinable
  func drainCarefully(_ limit: Int, _ body: (RingRecord) -> Bool) -> Int {
    var taken = 0
    var passed = 0
    while taken &+ passed < limit {
      let fetched = fetch()
      guard let bytes = fetched.bytes else {
        if fetched.isEnd { break }
        // A producer out of its mind cannot keep the reader here for ever.
        if isForeign { passed &+= 1 }
        continue
      }
      let isDelivered = body(
        RingRecord(sequence: fetched.sequence, bytes: bytes, lostBefore: get(Word.lostSinceLast)))
      set(Word.lostSinceLast, 0)
      add(isDelivered ? Word.delivered : Word.muted, 1)
      set(Word.next, fetched.sequence &+ 1)
      taken &+= 1
    }
    finishCareful()
    return taken
  }

  @usableFromInline
  func finishCareful() {
    let next = get(Word.next)
    // The claims of another process are not known, only what it has published.
    if isForeign { ring.claim.pointee.store(next, ordering: .relaxed) }
    cursor.pointee.store(next, ordering: .releasing)
  }

  /// What a look at the next place came to.
  @usableFromInline
  struct Fetched {
    @usableFromInline let sequence: UInt64
    /// Nil: there is nothing, or what was there is lost and counted.
    @usableFromInline let bytes: UnsafeRawBufferPointer?
    /// Nothing more is published.
    @usableFromInline let isEnd: Bool
  }

  @usableFromInline
  func fetch() -> Fetched {
    let sequence = nextWanted
    let nothing = Fetched(sequence: sequence, bytes: nil, isEnd: true)
    let lost = Fetched(sequence: sequence, bytes: nil, isEnd: false)
    guard isForeign || !isEvicted else { return nothing }
    let slot = ring.slot(sequence)
    let stamp = slot[0].load(ordering: .acquiring)
    guard RingStamp.isPublished(stamp, sequence) else {
      guard RingStamp.isBeyond(stamp, sequence) else { return nothing }
      if stamp & ~RingStamp.sizeMask == RingStamp.gap(sequence) {
        passLost(to: sequence &+ 1, as: Word.abandoned)
      } else {
        passOverwritten(sequence)
      }
      return lost
    }
    let size = Int(stamp & RingStamp.sizeMask)
    guard size <= ring.recordLimit else {
      passLost(to: sequence &+ 1, as: Word.abandoned)
      return lost
    }
    let place = ring.place(slot, sequence, size)
    var bytes = UnsafeRawBufferPointer(start: place, count: size)
    if copies {
      guard let copy = copyOut(place, size, slot, stamp) else {
        passOverwritten(sequence)
        return lost
      }
      bytes = copy
    }
    skipSampled(sequence - get(Word.next))
    set(Word.next, sequence)
    return Fetched(sequence: sequence, bytes: bytes, isEnd: false)
  }

  /// The bytes in the reader's own memory, or nil when the stamp has changed meanwhile.
  private func copyOut(
    _ place: UnsafeMutableRawPointer, _ size: Int, _ slot: RingWord, _ stamp: UInt64
  ) -> UnsafeRawBufferPointer? {
    let count = (size + 7) / 8
    if count * 8 > Int(get(Word.scratchSize)) { growScratch(to: count * 16) }
    guard let scratch = UnsafeMutablePointer<UInt64>(bitPattern: UInt(get(Word.scratch))) else {
      return nil
    }
    let source = place.assumingMemoryBound(to: Atomic<UInt64>.self)
    for index in 0..<count { scratch[index] = source[index].load(ordering: .relaxed) }
    atomicMemoryFence(ordering: .acquiring)
    guard slot[0].load(ordering: .relaxed) == stamp else { return nil }
    return UnsafeRawBufferPointer(start: scratch, count: size)
  }

  // MARK: Loss

  /// Passes a place whose producer died: nothing will ever be there.
  @usableFromInline
  func passGap(_ next: UInt64) -> Int {
    passLost(to: next &+ 1, as: Word.abandoned)
    cursor.pointee.store(next &+ 1, ordering: .releasing)
    return 1
  }

  /// Gives up what was overwritten and goes on a little above the oldest record that is still there.
  private func passOverwritten(_ sequence: UInt64) {
    if endsRun { ring.overflows.pointee.store(1, ordering: .relaxed) }
    let slots = ring.slotMask + 1
    let end = ring.published
    let oldest = end > slots ? end - slots + slots / 8 : 0
    let target = isForeign ? sequence + 1 : max(sequence + 1, min(oldest, end))
    passLost(to: target, as: Word.overwritten)
  }

  /// Counts what lies in front of a sequence: lost what the reader wanted to see, muted what sampling leaves out.
  func passLost(to target: UInt64, as stage: Int) {
    let next = get(Word.next)
    let wanted = wanted(from: next, to: target)
    add(stage, wanted)
    add(Word.lostSinceLast, wanted)
    skipSampled(target - next - wanted)
    set(Word.next, target)
  }

  /// How many sequences of a range the reader wants to see.
  func wanted(from start: UInt64, to end: UInt64) -> UInt64 {
    (end + sampling - 1) / sampling - (start + sampling - 1) / sampling
  }
}
