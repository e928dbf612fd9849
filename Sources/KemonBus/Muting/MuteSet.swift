// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import KemonEvents
internal import KemonPlatform
internal import Synchronization

// Unchecked: tables are atomic words in raw memory that lives as long as the set; writers hold a lock.
/// What a handler does not want to see any more: processes and beginnings of paths.
///
/// Readers take no lock: they are threads that owe a verdict. Who looks while a process is added or taken out sees the
/// one or the other.
public final class MuteSet: @unchecked Sendable {
  /// How many processes can be muted.
  public static let subjectLimit = 256
  /// How many beginnings of paths can be muted.
  public static let prefixLimit = 32
  /// The longest beginning of a path, in bytes.
  public static let prefixBytes = 4096

  /// Twice as many as are used, so that a look-up ends soon.
  private static let slots = 512
  private typealias Word = Atomic<UInt64>

  // Of each slot the start time, and the pid above a bit that says "used"; 0 = never used, 2 = used before.
  private let table: UnsafeMutablePointer<Word>
  private let subjectCount = Atomic<Int>(0)
  private let prefixes: UnsafeMutablePointer<Atomic<UInt>>
  private let prefixCount = Atomic<Int>(0)
  /// Every beginning that was ever muted, with its length in front: readers may still be at it.
  private let kept = PosixLock<[[UInt8]: UInt]>([:])

  private static let unused: UInt64 = 0
  private static let gone: UInt64 = 2

  /// Makes a set of nothing.
  public init() {
    table = .allocate(capacity: Self.slots * 2)
    for index in 0..<Self.slots * 2 { (table + index).initialize(to: Word(0)) }
    prefixes = .allocate(capacity: Self.prefixLimit)
    for index in 0..<Self.prefixLimit { (prefixes + index).initialize(to: Atomic(0)) }
  }

  deinit {
    table.deallocate()
    prefixes.deallocate()
    for address in kept.withLock({ $0 }).values {
      UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }
  }

  // MARK: Writers

  /// Mutes a process; false when there are too many.
  public func add(pid: Int32, start: UInt64) -> Bool {
    kept.withLock { _ in
      if find(pid, start) != nil { return true }
      guard subjectCount.load(ordering: .relaxed) < Self.subjectLimit else { return false }
      var slot = Self.slot(of: pid)
      while table[slot * 2 + 1].load(ordering: .relaxed) & 1 != 0 {
        slot = (slot + 1) % Self.slots
      }
      table[slot * 2].store(start, ordering: .relaxed)
      table[slot * 2 + 1].store(Self.word(pid), ordering: .releasing)
      subjectCount.wrappingAdd(1, ordering: .releasing)
      return true
    }
  }

  /// Mutes paths that begin with these bytes; false when there are too many, or the beginning is too long.
  public func add(prefix: [UInt8]) -> Bool {
    kept.withLock { kept in
      let count = prefixCount.load(ordering: .relaxed)
      guard prefix.count <= Self.prefixBytes else { return false }
      let known = kept[prefix]
      if let known,
        (0..<count).contains(where: { prefixes[$0].load(ordering: .relaxed) == known })
      {
        return true
      }
      // What was muted once is kept, so there is an end to that, too.
      guard count < Self.prefixLimit, known != nil || kept.count < 32 * Self.prefixLimit else {
        return false
      }
      let address = known ?? Self.copy(prefix)
      kept[prefix] = address
      prefixes[count].store(address, ordering: .releasing)
      prefixCount.store(count + 1, ordering: .releasing)
      return true
    }
  }

  /// Forgets a process that has ended.
  public func remove(pid: Int32, start: UInt64) {
    kept.withLock { _ in
      guard let slot = find(pid, start) else { return }
      table[slot * 2 + 1].store(Self.gone, ordering: .releasing)
      subjectCount.wrappingSubtract(1, ordering: .releasing)
      shorten(endingAt: slot)
    }
  }

  /// Mutes nothing any more.
  public func removeAll() {
    kept.withLock { _ in
      prefixCount.store(0, ordering: .releasing)
      subjectCount.store(0, ordering: .releasing)
      for slot in 0..<Self.slots { table[slot * 2 + 1].store(Self.unused, ordering: .releasing) }
    }
  }

  /// Makes look-ups end earlier that would find nothing any more at the end of a run of used slots.
  private func shorten(endingAt last: Int) {
    let next = (last + 1) % Self.slots
    guard table[next * 2 + 1].load(ordering: .relaxed) == Self.unused else { return }
    var slot = last
    while table[slot * 2 + 1].load(ordering: .relaxed) == Self.gone {
      table[slot * 2 + 1].store(Self.unused, ordering: .releasing)
      slot = (slot + Self.slots - 1) % Self.slots
    }
  }

  private static func copy(_ prefix: [UInt8]) -> UInt {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 8 + prefix.count, alignment: 8)
    memory.storeBytes(of: prefix.count, as: Int.self)
    prefix.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress {
        (memory + 8).copyMemory(from: source, byteCount: bytes.count)
      }
    }
    return UInt(bitPattern: memory)
  }

  // MARK: Readers

  /// Whether the handler shall not see an event; any thread.
  func mutes(_ record: RecordView) -> Bool {
    if subjectCount.load(ordering: .acquiring) > 0 {
      let subject = record.event.pointee.subject
      if find(subject.pid, subject.start_ns) != nil { return true }
    }
    let count = prefixCount.load(ordering: .acquiring)
    guard count > 0 else { return false }
    let (first, second) = PathOffsets.of(record.kind)
    return begins(record, at: first, count) || begins(record, at: second, count)
  }

  private func find(_ pid: Int32, _ start: UInt64) -> Int? {
    var slot = Self.slot(of: pid)
    for _ in 0..<Self.slots {
      let word = table[slot * 2 + 1].load(ordering: .acquiring)
      if word == Self.unused { return nil }
      if word == Self.word(pid), table[slot * 2].load(ordering: .relaxed) == start { return slot }
      slot = (slot + 1) % Self.slots
    }
    return nil
  }

  private func begins(_ record: RecordView, at offset: UInt16, _ count: Int) -> Bool {
    guard offset != PathOffsets.none,
      Int(offset) + MemoryLayout<kemon_str>.size <= Int(record.event.pointee.payload_size)
    else { return false }
    let place = UnsafeRawPointer(record.event) + Int(record.event.pointee.payload_off) + Int(offset)
    let path = record.bytes(place.loadUnaligned(as: kemon_str.self))
    for index in 0..<count {
      guard
        let prefix = UnsafeRawPointer(bitPattern: prefixes[index].load(ordering: .acquiring)),
        let start = path.baseAddress
      else { continue }
      let length = prefix.load(as: Int.self)
      if path.count >= length, memcmp(start, prefix + 8, length) == 0 { return true }
    }
    return false
  }

  private static func word(_ pid: Int32) -> UInt64 { UInt64(UInt32(bitPattern: pid)) << 32 | 1 }

  private static func slot(of pid: Int32) -> Int {
    // The nine upper bits of a product that mixes all of the number: 0 to 511.
    Int((UInt32(bitPattern: pid) &* 0x9E37_79B1) >> 23)
  }
}
