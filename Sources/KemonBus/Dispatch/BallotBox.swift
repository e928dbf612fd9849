// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import KemonEvents
internal import Synchronization

/// Room for a key, answers and votes, kept for every thread: a ballot allocates nothing, however many handlers there are.
///
/// A thread's seat has the address of its room behind the seat's own word, and then a blank answer.
enum BallotBox {
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
  /// Bytes in front of the answers: how many handlers fit, a blank answer for rooms without a seat, the key.
  private static let head = 16 + MemoryLayout<kemon_verdict>.stride + CacheKey.capacity
  private static let roomOffset = 8
  private static let blankOffset = 16

  /// Hands over room for so many handlers.
  ///
  /// - Parameter seat: of the calling thread; one that is inside already, or has no seat of its own, gets room that is
  ///   only made for this once.
  @inline(__always)
  static func withRoom<Result>(
    for count: Int, at seat: UnsafeMutableRawPointer?, _ body: (Room) -> Result
  ) -> Result {
    guard let seat else {
      let block = makeBlock(for: count)
      defer { block.deallocate() }
      return body(room(in: block, blank: block + 16))
    }
    if let block = room(of: seat), block.load(as: Int.self) >= count {
      return body(room(in: block, blank: seat + blankOffset))
    }
    return body(room(in: grow(seat, for: count), blank: seat + blankOffset))
  }

  /// The blank answer of a seat; nil when its thread has no room yet.
  @inline(__always)
  static func blank(at seat: UnsafeMutableRawPointer) -> UnsafeMutablePointer<kemon_verdict>? {
    guard seat.load(fromByteOffset: roomOffset, as: UInt.self) != 0 else { return nil }
    return (seat + blankOffset).assumingMemoryBound(to: kemon_verdict.self)
  }

  /// Gives the room of a seat back.
  static func leaveSeat(_ seat: UnsafeMutableRawPointer) { room(of: seat)?.deallocate() }

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

  /// Whether an answer, blank before the call, says nothing: no action, no code, no reason.
  ///
  /// Then it is blank again: what only counts together with an action is preset anew.
  @inline(__always)
  static func isBlank(_ answer: UnsafeMutablePointer<kemon_verdict>) -> Bool {
    let words = UnsafeMutableRawPointer(answer).assumingMemoryBound(to: UInt64.self)
    // Size, action and flags; errno and code; and the NUL in front of the reason.
    guard words[0] == UInt64(MemoryLayout<kemon_verdict>.size), words[1] == 0,
      answer.pointee.reason.0 == 0
    else { return false }
    answer.pointee.allow_mask = .max
    answer.pointee.result = 0
    return true
  }

  // MARK: Rooms

  private static func room(of seat: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: seat.load(fromByteOffset: roomOffset, as: UInt.self))
  }

  @inline(never)
  private static func grow(
    _ seat: UnsafeMutableRawPointer, for count: Int
  ) -> UnsafeMutableRawPointer {
    room(of: seat)?.deallocate()
    let block = makeBlock(for: max(few, count))
    makeBlank((seat + blankOffset).assumingMemoryBound(to: kemon_verdict.self))
    seat.storeBytes(of: UInt(bitPattern: block), toByteOffset: roomOffset, as: UInt.self)
    return block
  }

  /// A block for so many handlers; the number stands in its first word.
  private static func makeBlock(for count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: head + count * perHandler, alignment: 16)
    block.storeBytes(of: count, as: Int.self)
    makeBlank((block + 16).assumingMemoryBound(to: kemon_verdict.self))
    return block
  }

  private static func room(
    in block: UnsafeMutableRawPointer, blank: UnsafeMutableRawPointer
  ) -> Room {
    let answers = block + head
    let fitting = block.load(as: Int.self)
    return Room(
      blank: blank.assumingMemoryBound(to: kemon_verdict.self),
      key: block + 16 + MemoryLayout<kemon_verdict>.stride,
      answers: answers.assumingMemoryBound(to: kemon_verdict.self),
      votes: (answers + fitting * MemoryLayout<kemon_verdict>.stride)
        .assumingMemoryBound(to: kemon_vote.self))
  }
}
