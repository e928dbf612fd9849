// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import KemonEvents
internal import Synchronization

// Unchecked: each word belongs to one thread, and is freed when no thread is there any more.
/// Room for a key, answers and votes, kept for every thread: a ballot allocates nothing, however many handlers there are.
final class BallotBox: @unchecked Sendable {
  /// What one ballot needs: an answer and a vote for every handler, and what they are remembered under.
  struct Room {
    /// An answer that nobody has written to; who does is a voter, and it is made blank again.
    let blank: UnsafeMutablePointer<kemon_verdict>
    let key: UnsafeMutableRawPointer
    let answers: UnsafeMutablePointer<kemon_verdict>
    let votes: UnsafeMutablePointer<kemon_vote>
  }

  private static let perHandler =
    MemoryLayout<kemon_verdict>.stride + MemoryLayout<kemon_vote>.stride
  /// Handlers that fit at first.
  private static let few = 16
  /// Bytes in front of the answers: the block's capacity, the blank answer, the key.
  private static let head = blankOffset + MemoryLayout<kemon_verdict>.stride + CacheKey.capacity
  private static let blankOffset = 16

  /// For each thread the address of its room, whose capacity stands in its first word.
  private let words: UnsafeMutablePointer<UInt>

  init() {
    words = .allocate(capacity: Int(CKEMON_THREAD_LIMIT))
    words.initialize(repeating: 0, count: Int(CKEMON_THREAD_LIMIT))
  }

  deinit {
    for index in 0..<Int(CKEMON_THREAD_LIMIT) {
      UnsafeMutableRawPointer(bitPattern: words[index])?.deallocate()
    }
    words.deallocate()
  }

  /// Hands over room for so many handlers.
  ///
  /// - Parameter ticket: of ``Quiescence/enter(_:)``; a thread that is inside already, or has no number of its own,
  ///   gets room that is only made for this once.
  @inline(__always)
  func withRoom<Result>(
    for count: Int, ticket: Int, _ body: (Room) -> Result
  ) -> Result {
    guard ticket > 0, ticket <= Int(CKEMON_THREAD_LIMIT) else {
      let bytes = Self.head + count * Self.perHandler
      let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
      defer { block.deallocate() }
      let room = Self.room(in: block, for: count)
      Self.makeBlank(room.blank)
      return body(room)
    }
    let kept = UnsafeMutableRawPointer(bitPattern: words[ticket - 1])
    if let kept, kept.load(as: Int.self) >= count {
      return body(Self.room(in: kept, for: kept.load(as: Int.self)))
    }
    return body(Self.room(in: grow(ticket, for: count), for: count))
  }

  /// The blank answer of a thread; nil when it has no room yet, or is inside a ballot already.
  @inline(__always)
  func blank(_ ticket: Int) -> UnsafeMutablePointer<kemon_verdict>? {
    guard ticket > 0, ticket <= Int(CKEMON_THREAD_LIMIT), words[ticket &- 1] != 0 else {
      return nil
    }
    return UnsafeMutablePointer(bitPattern: words[ticket &- 1] &+ UInt(Self.blankOffset))
  }

  /// Presets everything of an answer that is read back; a NUL in front ends the reason.
  @inline(__always)
  static func makeBlank(_ answer: UnsafeMutablePointer<kemon_verdict>) {
    answer.pointee.size = UInt32(MemoryLayout<kemon_verdict>.size)
    answer.pointee.action = UInt16(KEMON_ABSTAIN)
    answer.pointee.flags = 0
    answer.pointee.err = 0
    answer.pointee.reason_code = 0
    answer.pointee.allow_mask = .max
    answer.pointee.result = 0
    answer.pointee.reason.0 = 0
  }

  /// Whether an answer is as ``makeBlank(_:)`` leaves it.
  @inline(__always)
  static func isBlank(_ answer: UnsafeMutablePointer<kemon_verdict>) -> Bool {
    let words = UnsafeRawPointer(answer).assumingMemoryBound(to: UInt64.self)
    // Size, action and flags; errno and code; mask; result; and the NUL in front of the reason.
    let changes =
      (words[0] ^ UInt64(MemoryLayout<kemon_verdict>.size)) | words[1] | ~words[2] | words[3]
      | (words[4] & 0xFF)
    return changes == 0
  }

  @inline(never)
  private func grow(_ ticket: Int, for count: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: words[ticket - 1])?.deallocate()
    let capacity = max(Self.few, count)
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: Self.head + capacity * Self.perHandler, alignment: 16)
    block.storeBytes(of: capacity, as: Int.self)
    Self.makeBlank(Self.room(in: block, for: count).blank)
    words[ticket - 1] = UInt(bitPattern: block)
    return block
  }

  private static func room(in block: UnsafeMutableRawPointer, for count: Int) -> Room {
    let answers = block + head
    let blank = block + blankOffset
    return Room(
      blank: blank.assumingMemoryBound(to: kemon_verdict.self),
      key: blank + MemoryLayout<kemon_verdict>.stride,
      answers: answers.assumingMemoryBound(to: kemon_verdict.self),
      votes: (answers + count * MemoryLayout<kemon_verdict>.stride)
        .assumingMemoryBound(to: kemon_vote.self))
  }
}
