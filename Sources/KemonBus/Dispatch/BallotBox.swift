// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import KemonEvents
internal import Synchronization

// Unchecked: each word belongs to one thread, and is freed when no thread is there any more.
/// Room for a key, answers and votes, kept for every thread: a ballot allocates nothing, however many handlers there are.
final class BallotBox: @unchecked Sendable {
  /// What one ballot needs: an answer and a vote for every handler, and what they are remembered under.
  struct Room {
    let key: UnsafeMutableRawPointer
    let answers: UnsafeMutablePointer<kemon_verdict>
    let votes: UnsafeMutablePointer<kemon_vote>
  }

  private static let perHandler =
    MemoryLayout<kemon_verdict>.stride + MemoryLayout<kemon_vote>.stride
  /// Handlers that fit at first.
  private static let few = 16
  /// Bytes in front of the answers: the block's capacity, the key.
  private static let head = 16 + CacheKey.capacity

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
      return body(Self.room(in: block, for: count))
    }
    let kept = UnsafeMutableRawPointer(bitPattern: words[ticket - 1])
    if let kept, kept.load(as: Int.self) >= count {
      return body(Self.room(in: kept, for: kept.load(as: Int.self)))
    }
    return body(Self.room(in: grow(ticket, for: count), for: count))
  }

  @inline(never)
  private func grow(_ ticket: Int, for count: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: words[ticket - 1])?.deallocate()
    let capacity = max(Self.few, count)
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: Self.head + capacity * Self.perHandler, alignment: 16)
    block.storeBytes(of: capacity, as: Int.self)
    words[ticket - 1] = UInt(bitPattern: block)
    return block
  }

  private static func room(in block: UnsafeMutableRawPointer, for count: Int) -> Room {
    let answers = block + head
    return Room(
      key: block + 16, answers: answers.assumingMemoryBound(to: kemon_verdict.self),
      votes: (answers + count * MemoryLayout<kemon_verdict>.stride)
        .assumingMemoryBound(to: kemon_vote.self))
  }
}
