// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import KemonEvents
internal import Synchronization

// Unchecked: entries are raw memory behind the lock of their set, everything else is atomic.
/// Remembers what all handlers together answered to equal events.
///
/// The key holds every part of the event that a handler has declared, byte for byte: no answer is given for an event
/// that only looks alike. A set of four entries has a lock that nobody ever waits for: when another thread is there,
/// the handlers are asked as if nothing were remembered. Entries of an older generation do not count, so that all
/// answers are forgotten at once when handlers change.
///
/// Any thread; allocates nothing.
public final class VerdictCache: @unchecked Sendable {
  private static let ways = 4
  private static let entryWords = 10 + CacheKey.capacity / 8
  private static let setWords = 8 + ways * entryWords

  private let words: UnsafeMutablePointer<UInt64>
  private let setMask: UInt64
  private let seed = UInt64.random(in: 0 ... .max)
  private let generationWord = Atomic<UInt64>(1)
  private let counters: VerdictCacheCounters = VerdictCacheCounters()

  /// Makes a cache.
  ///
  /// - Parameter capacity: how many answers it remembers; rounded up to four times a power of two.
  public init(capacity: Int = 4096) {
    var sets = 1
    while sets * Self.ways < min(capacity, 1 << 20) { sets *= 2 }
    setMask = UInt64(sets - 1)
    // Zeroed pages of the kernel: memory is taken when it is first used.
    guard let memory = calloc(sets * Self.setWords, 8) else {
      preconditionFailure("no memory for a cache of \(sets * Self.ways) answers")
    }
    words = memory.assumingMemoryBound(to: UInt64.self)
  }

  deinit { free(words) }

  /// What happened so far.
  public var statistics: VerdictCacheStatistics { counters.statistics }

  /// How many answers fit.
  public var capacity: Int { Int(setMask + 1) * Self.ways }

  /// Forgets every answer.
  public func flush(_ reason: CacheFlushReason) {
    generationWord.wrappingAdd(1, ordering: .acquiringAndReleasing)
    counters.count(flush: reason)
  }

  /// To be read before the handlers: an answer is stored under the generation that was true when it began.
  var generation: UInt64 { generationWord.load(ordering: .acquiring) }

  // MARK: Looking up and storing

  /// The remembered answer; nil when there is none, it is too old, or another thread is at the set.
  ///
  /// - Parameter now: time of the event.
  func find(_ key: CacheKey, generation: UInt64, now: UInt64) -> Verdict? {
    guard !key.isTooLong else {
      counters.count(.oversized)
      return nil
    }
    let hash = key.hash(seed: seed)
    let set = set(hash)
    guard lock(set) else {
      counters.count(.busy)
      return nil
    }
    defer { unlock(set) }
    guard let entry = entry(in: set, hash, key, generation) else {
      counters.count(.misses)
      return nil
    }
    // Event time may go back when another recording is played: that is not the time the answer was given in.
    if entry[1] != 0, now > entry[1] || now < entry[9] {
      entry[0] = 0
      counters.count(.expired)
      return nil
    }
    entry[8] &+= 1
    counters.count(.hits)
    return Self.verdict(entry)
  }

  /// Remembers an answer.
  func store(
    _ verdict: Verdict, _ key: CacheKey, generation: UInt64, now: UInt64, lifetime: UInt64
  ) {
    guard !key.isTooLong else { return }
    let hash = key.hash(seed: seed)
    let set = set(hash)
    guard lock(set) else { return }
    defer { unlock(set) }
    let entry = entry(in: set, hash, key, generation) ?? victim(in: set, generation)
    entry[0] = generation
    entry[1] = lifetime == 0 ? 0 : now &+ lifetime
    entry[2] = hash
    entry[3] = UInt64(key.count) | UInt64(UInt32(bitPattern: verdict.priority)) << 32
    Self.write(verdict, entry)
    entry[8] = 0
    entry[9] = now
    if let source = key.bytes.baseAddress {
      UnsafeMutableRawPointer(entry + 10).copyMemory(from: source, byteCount: key.count)
    }
    counters.count(.stores)
  }

  private func set(_ hash: UInt64) -> UnsafeMutablePointer<UInt64> {
    words + Int(hash & setMask) * Self.setWords
  }

  private func entry(
    in set: UnsafeMutablePointer<UInt64>, _ hash: UInt64, _ key: CacheKey, _ generation: UInt64
  ) -> UnsafeMutablePointer<UInt64>? {
    for way in 0..<Self.ways {
      let entry = set + 8 + way * Self.entryWords
      guard entry[0] == generation, entry[2] == hash,
        UInt32(truncatingIfNeeded: entry[3]) == key.count
      else {
        continue
      }
      guard let bytes = key.bytes.baseAddress, memcmp(entry + 10, bytes, key.count) == 0 else {
        continue
      }
      return entry
    }
    return nil
  }

  /// The entry that is given up: one of an older generation, or the one that was hit least.
  private func victim(
    in set: UnsafeMutablePointer<UInt64>, _ generation: UInt64
  ) -> UnsafeMutablePointer<UInt64> {
    var victim = set + 8
    for way in 0..<Self.ways {
      let entry = set + 8 + way * Self.entryWords
      if entry[0] != generation { return entry }
      if entry[8] < victim[8] { victim = entry }
    }
    counters.count(.evictions)
    // What was popular long ago has to stay so to be kept.
    for way in 0..<Self.ways { set[8 + way * Self.entryWords + 8] /= 2 }
    return victim
  }

  private func lock(_ set: UnsafeMutablePointer<UInt64>) -> Bool {
    let word = UnsafeMutableRawPointer(set).assumingMemoryBound(to: Atomic<UInt64>.self)
    return word.pointee.load(ordering: .relaxed) == 0
      && word.pointee.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged
  }

  private func unlock(_ set: UnsafeMutablePointer<UInt64>) {
    let word = UnsafeMutableRawPointer(set).assumingMemoryBound(to: Atomic<UInt64>.self)
    word.pointee.store(0, ordering: .releasing)
  }

  // MARK: Verdicts as words

  private static func write(_ verdict: Verdict, _ entry: UnsafeMutablePointer<UInt64>) {
    entry[4] =
      UInt64(verdict.action.rawValue) | (verdict.replacement == nil ? 0 : 1 << 16)
      | UInt64(UInt32(bitPattern: verdict.error)) << 32
    entry[5] = verdict.allowMask
    entry[6] = UInt64(bitPattern: verdict.replacement ?? 0)
    entry[7] = UInt64(verdict.reasonCode) | UInt64(verdict.decidedBy) << 32
  }

  private static func verdict(_ entry: UnsafeMutablePointer<UInt64>) -> Verdict {
    let head = entry[4]
    return Verdict(
      action: .init(rawValue: UInt16(truncatingIfNeeded: head)) ?? .abstain,
      error: Int32(truncatingIfNeeded: head >> 32), allowMask: entry[5],
      replacement: head & (1 << 16) != 0 ? Int64(bitPattern: entry[6]) : nil,
      reasonCode: UInt32(truncatingIfNeeded: entry[7]),
      decidedBy: UInt32(truncatingIfNeeded: entry[7] >> 32),
      priority: Int32(truncatingIfNeeded: entry[3] >> 32))
  }
}
