// SPDX-License-Identifier: Apache-2.0

/// Builds one record after another in a buffer of its own: the scratch of a thread on which events happen.
///
/// ```swift
/// builder.begin(kind)
/// builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/etc/hosts")))
/// let record = builder.seal()
/// ```
///
/// Strings that do not fit are cut and the record is flagged as truncated. Not for use by two threads at a time.
public struct RecordBuilder: ~Copyable {
  /// What a record may take, votes not counted, unless asked for otherwise.
  public static let defaultCapacity = 64 * 1024

  @usableFromInline private(set) var base: UnsafeMutableRawPointer
  @usableFromInline private(set) var count = 0
  /// Whether the NULs that end the record are there and nothing was added since.
  @usableFromInline private(set) var isSealed = false
  @usableFromInline private(set) var allocated: Int
  private let capacity: Int

  /// Makes a builder.
  ///
  /// - Parameter capacity: bytes that a record may take without its votes.
  public init(capacity: Int = RecordBuilder.defaultCapacity) {
    self.capacity = max(capacity, 1024) & ~7
    allocated = self.capacity + 16 * 1024
    base = .allocate(byteCount: allocated, alignment: 8)
  }

  deinit { base.deallocate() }

  /// The header of the record being built.
  @inlinable
  public var header: UnsafeMutablePointer<kemon_event> {
    base.assumingMemoryBound(to: kemon_event.self)
  }

  /// The record as it is now; valid until the builder changes.
  @inlinable
  public var view: RecordView { RecordView(trusted: UnsafePointer(header)) }

  /// Starts a record: a zeroed header and payload of a known kind.
  ///
  /// - Parameter kind: a row of the event table.
  public mutating func begin(_ kind: EventKind) {
    guard let shape = kind.shape else { preconditionFailure("kind \(kind.rawValue) has no row") }
    let headerSize = RecordView.headerSize
    isSealed = false
    count = headerSize + Int(shape.payloadSize)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    header.pointee.header_size = UInt16(headerSize)
    header.pointee.kind = kind.rawValue
    header.pointee.phase = shape.phase
    header.pointee.schema = 1
    header.pointee.payload_off = UInt32(headerSize)
    header.pointee.payload_size = UInt32(shape.payloadSize)
    header.pointee.subject.uid = .max
    header.pointee.subject.gid = .max
  }

  /// Starts a record as a copy of another without its votes and what was decided: what replay offers anew.
  @inlinable
  public mutating func begin(copying record: RecordView) {
    let kept =
      record.event.pointee.votes_off == 0 ? record.size : Int(record.event.pointee.votes_off)
    reserve(kept)
    base.copyMemory(from: record.base, byteCount: kept)
    count = kept
    // A valid record ends with a NUL in front of its votes, too; from outside it may end anywhere.
    isSealed = kept & 7 == 0
    header.pointee.size = UInt32(kept)
    header.pointee.seq = 0
    header.pointee.decided_by = 0
    header.pointee.votes_off = 0
    header.pointee.votes_count = 0
    header.pointee.verdict = 0
    header.pointee.flags |= UInt16(KEMON_EV_REPLAYED)
    header.pointee.flags &= ~UInt16(KEMON_EV_GAP_BEFORE | KEMON_EV_CACHED | KEMON_EV_REVALIDATE)
  }

  /// Puts bytes into the record and returns where they are; cut when they do not fit.
  ///
  /// - Parameter bytes: need not be text. An empty buffer gives a present, empty string.
  public mutating func text(_ bytes: UnsafeRawBufferPointer) -> kemon_str {
    // Room for the NUL behind the text and for the NULs that end the record.
    isSealed = false
    let room = max(0, capacity - count - 16)
    let length = min(bytes.count, room)
    if length < bytes.count { header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
    if let source = bytes.baseAddress { (base + count).copyMemory(from: source, byteCount: length) }
    (base + count).storeBytes(of: 0, toByteOffset: length, as: UInt8.self)
    defer { count += length + 1 }
    return kemon_str(off: UInt32(count), len: UInt32(length))
  }

  /// Puts a text into the record and returns where it is; nil gives an absent string.
  public mutating func text(_ string: String?) -> kemon_str {
    guard var string else { return kemon_str() }
    return string.withUTF8 { text(UnsafeRawBufferPointer($0)) }
  }

  /// Puts several texts into the record as a list field, each ended by a NUL.
  public mutating func list(_ strings: [String]) -> kemon_str {
    var joined: [UInt8] = []
    for string in strings {
      joined.append(contentsOf: string.utf8)
      joined.append(0)
    }
    return joined.withUnsafeBytes { text($0) }
  }

  /// Puts raw bytes into the record and returns where they are; nil gives an absent field.
  public mutating func data(_ bytes: [UInt8]?) -> kemon_str {
    guard let bytes else { return kemon_str() }
    return bytes.withUnsafeBytes { text($0) }
  }

  /// Sets the payload of the kind that the record was begun with.
  ///
  /// - Parameter payload: the kind's own struct.
  @inlinable
  public mutating func setPayload<Payload: BitwiseCopyable>(_ payload: Payload) {
    precondition(
      MemoryLayout<Payload>.size == Int(header.pointee.payload_size), "payload of another kind")
    base.storeBytes(of: payload, toByteOffset: Int(header.pointee.payload_off), as: Payload.self)
  }

  /// Ends the record with NULs up to a multiple of 8 and sets its size; a sealed record stays as it is.
  @discardableResult @inlinable @inline(__always)
  public mutating func seal() -> RecordView {
    if !isSealed { end() }
    return view
  }

  @inlinable
  mutating func end() {
    // At least one NUL, so that no C string of the record can run out of it.
    let end = (count + 8) & ~7
    (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: end - count)
    count = end
    isSealed = true
    header.pointee.size = UInt32(end)
  }

  /// Adds the votes to a sealed record, and seals it again.
  ///
  /// - Parameters:
  ///   - votes: in the order of the calls; their reasons are set here.
  ///   - reasons: as many NUL-terminated texts as there are votes, or nil at those without a reason.
  @inlinable
  public mutating func append(
    votes: UnsafeBufferPointer<kemon_vote>,
    reasons: (Int) -> UnsafePointer<CChar>?
  ) {
    guard !votes.isEmpty else { return }
    let stride = MemoryLayout<kemon_vote>.stride
    let start = count
    isSealed = false
    reserve(start + votes.count * (stride + 97) + 16)
    let target = (base + start).assumingMemoryBound(to: kemon_vote.self)
    count += votes.count * stride
    for index in 0..<votes.count {
      var vote = votes[index]
      vote.reason = kemon_str()
      if let reason = reasons(index) {
        let length = strnlen(reason, 96)
        vote.reason = kemon_str(off: UInt32(count), len: UInt32(length))
        (base + count).copyMemory(from: reason, byteCount: length)
        (base + count).storeBytes(of: 0, toByteOffset: length, as: UInt8.self)
        count += length + 1
      }
      (target + index).initialize(to: vote)
    }
    header.pointee.votes_off = UInt32(start)
    header.pointee.votes_count = UInt16(votes.count)
    seal()
  }

  /// Adds votes that are ready but for their place to a sealed record, which stays sealed.
  ///
  /// - Parameters:
  ///   - votes: without reasons, in the order of the calls.
  ///   - votesCount: how many, 1 or more.
  @inlinable @inline(__always)
  public mutating func append(ready votes: UnsafePointer<kemon_vote>, count votesCount: Int) {
    let start = count
    let bytes = votesCount &* MemoryLayout<kemon_vote>.stride
    // The NULs that end the record move behind the votes.
    let end = start &+ bytes &+ 8
    reserve(end)
    if votesCount == 1 {
      (base + start).assumingMemoryBound(to: kemon_vote.self).initialize(to: votes.pointee)
    } else {
      (base + start).copyMemory(from: votes, byteCount: bytes)
    }
    (base + (end &- 8)).storeBytes(of: 0, as: UInt64.self)
    count = end
    header.pointee.votes_off = UInt32(truncatingIfNeeded: start)
    header.pointee.votes_count = UInt16(truncatingIfNeeded: votesCount)
    header.pointee.size = UInt32(truncatingIfNeeded: end)
  }

  /// Says how long the handler of a vote took.
  @inlinable
  public mutating func setLatency(_ nanoseconds: UInt32, ofVote index: Int) {
    precondition(index >= 0 && index < Int(header.pointee.votes_count), "vote index out of range")
    let votes = (base + Int(header.pointee.votes_off)).assumingMemoryBound(to: kemon_vote.self)
    votes[index].latency_ns = nanoseconds
  }

  @inlinable @inline(__always)
  mutating func reserve(_ needed: Int) {
    if needed > allocated { grow(to: needed) }
  }

  @usableFromInline
  mutating func grow(to needed: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: 8)
    larger.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = larger
    allocated = needed
  }
}
