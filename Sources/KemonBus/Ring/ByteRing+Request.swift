// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform
public import Synchronization

/// Records that want an answer, on rings that have answers: it comes back through the slot's second word, in the line that the producer wrote.
extension ByteRing {
  /// Publishes bytes that want an answer, if there is room.
  ///
  /// - Returns: the sequence to give to ``answer(to:spins:deadline:)``, which must be called for it; nil when the ring
  ///   is full or an old answer has not been taken, which counts as refused.
  /// - Throws: ``RingError/Code/recordTooLarge``; the refusal is counted.
  @inlinable @inline(__always)
  public func tryRequest(_ bytes: UnsafeRawBufferPointer) throws(RingError) -> UInt64? {
    precondition(hasAnswers, "the ring was made without answers")
    guard bytes.count <= recordLimit else { throw refuse(bytes.count) }
    guard let sequence = tryClaim(forRequest: true) else { return nil }
    write(sequence, bytes.baseAddress, bytes.count, answer: RingAnswer.pending(sequence))
    return sequence
  }

  /// So many times the word is looked at without a pause: one or two microseconds.
  @usableFromInline static var eagerLooks: Int { 1000 }

  /// Waits for the answer to a request: spins, then sleeps.
  ///
  /// - Parameters:
  ///   - sequence: of ``tryRequest(_:)``; asked for once, by the thread that made the request.
  ///   - spins: looks at the word before sleeping.
  ///   - deadline: of the monotonic clock (``EventClock/monotonic()``), in nanoseconds.
  /// - Returns: the answer; nil when the time is over. An answer that comes later is refused.
  @inlinable @inline(__always)
  public func answer(to sequence: UInt64, spins: Int = 2000, deadline: UInt64) -> UInt32? {
    let word = slot(sequence) + 1
    let pending = RingAnswer.pending(sequence)
    for turn in 0..<spins {
      let value = word.pointee.load(ordering: .acquiring)
      if value != pending { return take(word, value, sequence) }
      // A pause is a quarter of the time that a quick answer takes.
      if turn >= Self.eagerLooks { ckemon_pause() }
    }
    return sleepForAnswer(word, sequence, deadline: deadline)
  }

  /// Takes an answer and lets the slot be used for another request.
  @inlinable @inline(__always)
  func take(_ word: RingWord, _ value: UInt64, _ sequence: UInt64) -> UInt32? {
    word.pointee.store(RingAnswer.none, ordering: .releasing)
    // Anything but the answer to this very request was written by a peer out of its mind.
    return UInt32(truncatingIfNeeded: value) == UInt32(RingAnswer.answered(sequence, 0))
      ? UInt32(truncatingIfNeeded: value >> 32) : nil
  }

  @usableFromInline
  func sleepForAnswer(_ word: RingWord, _ sequence: UInt64, deadline: UInt64) -> UInt32? {
    let value = sleepUntilAnswered(word, sequence, deadline: deadline)
    // Given up: the slot may be another request's by now.
    return value == RingAnswer.none ? nil : take(word, value, sequence)
  }

  /// Sleeps until a request is answered, and returns its word; none when the time is over or the peer has ended.
  func sleepUntilAnswered(_ word: RingWord, _ sequence: UInt64, deadline: UInt64) -> UInt64 {
    let pending = RingAnswer.pending(sequence)
    let sleeping = RingAnswer.sleeping(sequence)
    var (exchanged, value) = word.pointee.compareExchange(
      expected: pending, desired: sleeping, ordering: .acquiringAndReleasing)
    if exchanged { value = sleeping }
    while value == sleeping {
      let now = EventClock.monotonic()
      guard now < deadline, !peerHasEnded else {
        (exchanged, value) = word.pointee.compareExchange(
          expected: sleeping, desired: RingAnswer.none, ordering: .acquiringAndReleasing)
        return exchanged ? RingAnswer.none : value
      }
      let futex = UInt32(truncatingIfNeeded: sleeping)
      // A peer that dies wakes nobody.
      let slice = isShared ? min(deadline - now, 10_000_000) : deadline - now
      _ =
        isShared
        ? ckemon_futex_wait_shared(word, futex, slice)
        : ckemon_futex_wait(word, futex, slice)
      value = word.pointee.load(ordering: .acquiring)
    }
    return value
  }

  /// Answers a record; what readers call through ``RingReader/answer(_:with:)``.
  @inlinable @inline(__always)
  func reply(to sequence: UInt64, with value: UInt32) -> Bool {
    guard hasAnswers else { return false }
    let word = slot(sequence) + 1
    let answer = RingAnswer.answered(sequence, value)
    let (first, seen) = word.pointee.compareExchange(
      expected: RingAnswer.pending(sequence), desired: answer, ordering: .acquiringAndReleasing)
    return first || replyToSleeper(word, seen, sequence, answer)
  }

  @usableFromInline
  func replyToSleeper(_ word: RingWord, _ seen: UInt64, _ sequence: UInt64, _ answer: UInt64)
    -> Bool
  {
    guard seen == RingAnswer.sleeping(sequence),
      word.pointee.compareExchange(
        expected: seen, desired: answer, ordering: .acquiringAndReleasing
      ).exchanged
    else { return false }
    if isShared { ckemon_futex_wake_all_shared(word) } else { ckemon_futex_wake_all(word) }
    return true
  }
}
