// SPDX-License-Identifier: Apache-2.0

/// A record, read in place: header, payload, votes and strings without a copy.
///
/// The view does not own its bytes: it is valid as long as they are, which is the duration of a handler's call, or
/// until the buffer it was made from is reused. It is not safe to share with a thread that writes to those bytes.
///
/// Every access is checked against the record's own size. A hostile record can give wrong answers, but nothing is
/// ever read past its end: ``init(validating:)`` checks the header's sections once, and each string is checked when
/// it is read.
public struct RecordView {
  @usableFromInline let base: UnsafeRawPointer

  /// Bytes of the record.
  public let size: Int

  /// Takes a record that this process has built, without checking it.
  ///
  /// - Parameter event: a record made by ``RecordBuilder`` or already validated.
  @inlinable
  public init(trusted event: UnsafePointer<kemon_event>) {
    base = UnsafeRawPointer(event)
    size = Int(event.pointee.size)
  }

  /// Checks bytes from outside and takes them as a record.
  ///
  /// - Parameter bytes: start at a multiple of 8; bytes behind the record are ignored.
  /// - Throws: which rule is broken and at which byte.
  public init(validating bytes: UnsafeRawBufferPointer) throws(RecordError) {
    guard let start = bytes.baseAddress, bytes.count >= Self.headerSize else {
      throw RecordError(
        .tooShort, at: 0, "\(bytes.count) bytes, a record has at least \(Self.headerSize)")
    }
    guard UInt(bitPattern: start) % 8 == 0 else {
      throw RecordError(.misaligned, at: 0, "the record must start at a multiple of 8")
    }
    base = start
    size = Int(start.assumingMemoryBound(to: kemon_event.self).pointee.size)
    guard size >= Self.headerSize, size <= bytes.count else {
      throw RecordError(
        .tooShort, at: 0, "size \(size), but \(Self.headerSize)...\(bytes.count) is possible")
    }
    try checkSections()
    try checkStrings()
  }

  /// Bytes of the header of this version.
  public static let headerSize = MemoryLayout<kemon_event>.size

  // MARK: Header

  /// The record for C: valid as long as the view is.
  @inlinable
  public var event: UnsafePointer<kemon_event> { base.assumingMemoryBound(to: kemon_event.self) }

  /// All bytes of the record.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: size) }

  /// The kind, possibly one that this version does not know.
  @inlinable
  public var kind: EventKind { EventKind(rawValue: event.pointee.kind) }

  /// The side of the operation.
  @inlinable
  public var phase: EventPhase { EventPhase(rawValue: event.pointee.phase) ?? .notify }

  /// What was decided, by the strongest vote; abstain when the kind's default applies.
  @inlinable
  public var verdict: VerdictAction { VerdictAction(rawValue: event.pointee.verdict) ?? .abstain }

  /// Whether some string of the record is cut: nobody may allow by comparing it.
  @inlinable
  public var isTruncated: Bool { event.pointee.flags & UInt16(KEMON_EV_TRUNCATED) != 0 }

  /// Who acts.
  @inlinable
  public var subject: kemon_subject { event.pointee.subject }

  // MARK: Payload, strings, votes

  /// The payload as the struct of its kind, or nil when the producer filled in fewer bytes.
  @inlinable
  public func payload<Payload: BitwiseCopyable>(as type: Payload.Type) -> Payload? {
    let header = event.pointee
    let size = MemoryLayout<Payload>.size
    guard Int(header.payload_size) >= size,
      Int(header.payload_off) + Int(header.payload_size) <= self.size
    else { return nil }
    return base.loadUnaligned(fromByteOffset: Int(header.payload_off), as: Payload.self)
  }

  /// A view that reads fields and strings of the payload by name, or nil when the payload is too short.
  @inlinable
  public func view<Payload: BitwiseCopyable>(of type: Payload.Type) -> PayloadView<Payload>? {
    payload(as: type).map { PayloadView(record: self, payload: $0) }
  }

  /// The bytes behind a string, empty when it is absent or does not lie inside the record.
  @inlinable
  public func bytes(_ string: kemon_str) -> UnsafeRawBufferPointer {
    let offset = Int(string.off)
    let length = Int(string.len)
    guard offset != 0, offset + length < size else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: base + offset, count: length)
  }

  /// A copy of the text behind a string, with replacement characters where it is not UTF-8.
  public func text(_ string: kemon_str) -> String {
    String(decoding: bytes(string), as: UTF8.self)
  }

  /// The texts of a list field.
  public func list(_ string: kemon_str) -> [String] {
    bytes(string).split(separator: 0, omittingEmptySubsequences: false)
      .dropLast()
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The value of a field of the payload by its description: what generic readers use.
  ///
  /// - Returns: nil when the producer did not fill the field in.
  public func integer(_ field: PayloadField) -> Int64? {
    guard let offset = offset(of: field) else { return nil }
    return switch field.type {
    case .u16: Int64(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    case .u32: Int64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    case .i32: Int64(base.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    case .u64, .i64, .addr: base.loadUnaligned(fromByteOffset: offset, as: Int64.self)
    case .str, .list, .bytes: nil
    }
  }

  /// The string of a field of the payload by its description; absent when it is not one or was not filled in.
  public func string(_ field: PayloadField) -> kemon_str {
    guard field.type.isReference, let offset = offset(of: field) else { return kemon_str() }
    return base.loadUnaligned(fromByteOffset: offset, as: kemon_str.self)
  }

  /// How many votes the record keeps.
  @inlinable
  public var voteCount: Int { Int(event.pointee.votes_count) }

  /// A vote of the record.
  ///
  /// - Parameter index: below ``voteCount``.
  @inlinable
  public func vote(_ index: Int) -> kemon_vote {
    precondition(index >= 0 && index < voteCount, "vote index out of range")
    let offset = Int(event.pointee.votes_off) + index * MemoryLayout<kemon_vote>.stride
    return base.loadUnaligned(fromByteOffset: offset, as: kemon_vote.self)
  }

  private func offset(of field: PayloadField) -> Int? {
    let header = event.pointee
    guard field.offset + field.width <= Int(header.payload_size) else { return nil }
    return Int(header.payload_off) + field.offset
  }

  // MARK: Checks

  private func checkSections() throws(RecordError) {
    let header = event.pointee
    let headerSize = Int(header.header_size)
    guard headerSize >= Self.headerSize, headerSize <= size, headerSize % 8 == 0 else {
      throw RecordError(
        .badHeader, at: 4,
        "header size \(headerSize), needed is a multiple of 8 from \(Self.headerSize) to \(size)")
    }
    guard Int(header.kind) < EventKind.limit else {
      throw RecordError(.badHeader, at: 6, "kind \(header.kind) is not below \(EventKind.limit)")
    }
    guard EventPhase(rawValue: header.phase) != nil else {
      throw RecordError(.badHeader, at: 8, "phase \(header.phase) is none of 1, 2, 3")
    }
    guard VerdictAction(rawValue: header.verdict) != nil else {
      throw RecordError(.badHeader, at: 126, "verdict \(header.verdict) is none of 0...4")
    }
    let payload = Int(header.payload_off)
    guard payload >= headerSize, payload % 8 == 0, payload + Int(header.payload_size) <= size else {
      throw RecordError(
        .outOfBounds, at: 16,
        "payload of \(header.payload_size) bytes at \(payload) does not lie inside \(size) bytes")
    }
    let votes = Int(header.votes_off)
    let votesSize = Int(header.votes_count) * MemoryLayout<kemon_vote>.stride
    guard
      votes == 0
        ? votesSize == 0 : votes >= headerSize && votes % 8 == 0 && votes + votesSize <= size
    else {
      throw RecordError(
        .outOfBounds, at: 120,
        "\(header.votes_count) votes at \(votes) do not lie inside \(size) bytes")
    }
    // Two NULs make every C string of the record end inside it, with its votes and without them.
    guard base.load(fromByteOffset: size - 1, as: UInt8.self) == 0,
      votes == 0 || base.load(fromByteOffset: votes - 1, as: UInt8.self) == 0
    else {
      throw RecordError(.unterminated, at: size - 1, "the record must end with a NUL")
    }
  }

  private func checkStrings() throws(RecordError) {
    let header = event.pointee
    try check(header.subject.exe, at: 96)
    try check(header.subject.comm, at: 104)
    try check(header.subject.parent, at: 112)
    for field in kind.info?.fields ?? [] where field.type.isReference {
      try check(string(field), at: Int(header.payload_off) + field.offset)
    }
    for index in 0..<voteCount {
      try check(vote(index).reason, at: Int(header.votes_off) + index * 32 + 24)
    }
  }

  private func check(_ string: kemon_str, at place: Int) throws(RecordError) {
    guard string.off != 0 else { return }
    let end = Int(string.off) + Int(string.len)
    guard Int(string.off) >= Self.headerSize, end < size else {
      throw RecordError(
        .outOfBounds, at: place,
        "\(string.len) bytes of text at \(string.off) do not lie inside \(size) bytes")
    }
    guard base.load(fromByteOffset: end, as: UInt8.self) == 0 else {
      throw RecordError(.unterminated, at: end, "text at \(string.off) has no NUL at its end")
    }
  }
}
