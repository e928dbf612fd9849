// SPDX-License-Identifier: Apache-2.0

public import Synchronization

/// A record as a reader gets it.
public struct RingRecord {
  /// Its sequence in the ring, from 0.
  public let sequence: UInt64
  /// Its bytes, at a multiple of 8; valid while the reader's closure runs.
  public let bytes: UnsafeRawBufferPointer
  /// How many records the reader lost since the one before: the marker of a gap.
  public let lostBefore: UInt64

  @inlinable @inline(__always)
  init(sequence: UInt64, bytes: UnsafeRawBufferPointer, lostBefore: UInt64) {
    self.sequence = sequence
    self.bytes = bytes
    self.lostBefore = lostBefore
  }
}

// Unchecked: constants only; counters are atomics in raw memory, the scratch buffer belongs to the draining thread.
/// A subscriber's place in a ``ByteRing``.
///
/// One thread at a time drains it. Any thread may read the account, or cancel once nobody drains any more.
public final class RingReader: @unchecked Sendable {
  @usableFromInline let ring: ByteRing
  let line: Int
  @usableFromInline let cursor: RingWord
  /// The reader's own words, see ``Word``.
  @usableFromInline let words: RingWord
  /// Reads everything in place: no copy, no second look.
  @usableFromInline let isPlain: Bool
  @usableFromInline let copies: Bool
  @usableFromInline let isForeign: Bool
  let endsRun: Bool
  @usableFromInline let sampling: UInt64
  let first: UInt64
  let refusedBefore: UInt64

  /// The reader's words, by index.
  @usableFromInline
  enum Word {
    @usableFromInline static let next = 0
    /// Nonzero when it has left: the end of its account, plus one.
    @usableFromInline static let left = 1
    @usableFromInline static let delivered = 2
    @usableFromInline static let muted = 3
    static let sampledOut = 4
    static let overwritten = 5
    static let unread = 6
    static let evicted = 7
    static let abandoned = 8
    @usableFromInline static let lostSinceLast = 9
    static let scratch = 10
    static let scratchSize = 11
    static let refusedAtEnd = 12
    static let count = 32
  }

  init(ring: ByteRing, line: Int, options: ReaderOptions, first: UInt64) {
    self.ring = ring
    self.line = line
    self.first = first
    cursor = ring.line(line) + 1
    sampling = UInt64(options.sampling)
    copies = options.copies
    isForeign = options.isForeign
    endsRun = options.overflow == .exit
    isPlain = !options.copies && options.sampling == 1
    refusedBefore = ring.refused
    let bytes = Word.count * 8
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: RingLayout.line)
    memory.initializeMemory(as: UInt64.self, repeating: 0, count: Word.count)
    words = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    set(Word.next, first)
    if copies { growScratch(to: 4096) }
  }

  deinit {
    cancel()
    UnsafeMutableRawPointer(bitPattern: UInt(get(Word.scratch)))?.deallocate()
    UnsafeMutableRawPointer(words).deallocate()
  }

  // MARK: Words

  @inlinable @inline(__always)
  func get(_ word: Int) -> UInt64 { words[word].load(ordering: .relaxed) }

  @inlinable @inline(__always)
  func set(_ word: Int, _ value: UInt64) { words[word].store(value, ordering: .relaxed) }

  /// Only the draining thread counts, so that no read-modify-write is needed.
  @inlinable @inline(__always)
  func add(_ word: Int, _ amount: UInt64) { set(word, get(word) &+ amount) }

  func growScratch(to size: Int) {
    UnsafeMutableRawPointer(bitPattern: UInt(get(Word.scratch)))?.deallocate()
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    set(Word.scratch, UInt64(UInt(bitPattern: scratch)))
    set(Word.scratchSize, UInt64(size))
  }

  // MARK: Place

  /// How many records of the ring lie behind the reader.
  public var position: UInt64 { words[Word.next].load(ordering: .acquiring) }

  /// Whether the producers gave up waiting for it; nothing can be read any more.
  public var isEvicted: Bool {
    ring.line(line)[0].load(ordering: .acquiring) == LineState.evicted
      || get(Word.evicted) != 0
  }

  /// Answers a record that was published by ``ByteRing/tryRequest(_:)``.
  ///
  /// - Returns: false when the answer comes too late, or none is wanted.
  @inlinable @inline(__always) @discardableResult
  public func answer(_ sequence: UInt64, with value: UInt32) -> Bool {
    ring.reply(to: sequence, with: value)
  }

  /// Sleeps until something is published, or for that many milliseconds; may return early.
  public func park(milliseconds: Int) {
    ring.sleep(awaiting: nextWanted, nanoseconds: UInt64(max(milliseconds, 0)) * 1_000_000)
  }

  /// Leaves the ring; what was not read counts as lost.
  ///
  /// Harmless when repeated.
  public func cancel() {
    let end = ring.published
    let (isFirst, _) = words[Word.left].compareExchange(
      expected: 0, desired: end &+ 1, ordering: .sequentiallyConsistent)
    guard isFirst else { return }
    let next = min(get(Word.next), end)
    let wasEvicted = ring.line(line)[0].load(ordering: .acquiring) == LineState.evicted
    let wanted = wanted(from: next, to: end)
    add(wasEvicted ? Word.evicted : Word.unread, wanted)
    skipSampled(end - next - wanted)
    set(Word.refusedAtEnd, ring.refused)
    if !isForeign { ring.release(line: line, copies: copies) }
  }

  /// Counts records that sampling leaves out.
  @usableFromInline
  func skipSampled(_ count: UInt64) {
    add(Word.muted, count)
    add(Word.sampledOut, count)
  }

  /// The first sequence from the cursor on that the reader wants to see.
  @usableFromInline
  var nextWanted: UInt64 {
    let next = get(Word.next)
    return (next + sampling - 1) / sampling * sampling
  }

  /// What became of every record since joining; exact while nobody drains, and once the reader has left.
  public func account(named name: String) -> SubscriberAccount {
    let left = words[Word.left].load(ordering: .acquiring)
    let end = left == 0 ? ring.published : left - 1
    let refused = (left == 0 ? ring.refused : get(Word.refusedAtEnd)) - refusedBefore
    let losses = LossStages(
      overwritten: get(Word.overwritten), unread: get(Word.unread), evicted: get(Word.evicted),
      abandoned: get(Word.abandoned), refused: refused)
    var account = SubscriberAccount(
      name: name, produced: end - first + refused, delivered: get(Word.delivered),
      muted: get(Word.muted), lost: losses.total)
    account.sampledOut = get(Word.sampledOut)
    account.losses = losses
    let known = account.delivered + account.muted + account.lost
    account.pending = left == 0 ? account.produced - min(known, account.produced) : 0
    return account
  }
}
