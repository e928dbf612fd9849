// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

/// Requests whose answer is more than 32 bits: the far side writes it over the request, in the slot itself.
extension ByteRing {
  /// Publishes a request that is written in place, if there is room.
  ///
  /// - Parameters:
  ///   - byteCount: of the request.
  ///   - fill: writes all of it, at a multiple of 8.
  /// - Returns: the sequence for ``answer(to:deadline:reading:)``, which must be called for it; nil when the ring is
  ///   full or an old answer has not been taken, which counts as refused.
  /// - Throws: ``RingError/Code/recordTooLarge``; the refusal is counted.
  public func tryRequest(
    byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void
  ) throws(RingError) -> UInt64? {
    precondition(isShared, "only the far side of a shared ring can write to a request")
    guard byteCount <= recordLimit else { throw refuse(byteCount) }
    guard let sequence = tryClaim(forRequest: true) else { return nil }
    stamp(sequence, byteCount, answer: RingAnswer.pending(sequence), fill)
    return sequence
  }

  /// Publishes a record that is written in place, if there is room.
  ///
  /// - Returns: false when the reader is a whole ring behind, which counts as refused.
  /// - Throws: ``RingError/Code/recordTooLarge``; the refusal is counted.
  public func tryPublish(
    byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void
  ) throws(RingError) -> Bool {
    precondition(isShared, "readers of a ring in this process may be copying what lies there")
    guard byteCount <= recordLimit else { throw refuse(byteCount) }
    guard let sequence = tryClaim(forRequest: false) else { return false }
    stamp(sequence, byteCount, answer: RingAnswer.none, fill)
    return true
  }

  private func stamp(
    _ sequence: UInt64, _ byteCount: Int, answer: UInt64,
    _ fill: (UnsafeMutableRawPointer) -> Void
  ) {
    let slot = slot(sequence)
    slot[1].store(answer, ordering: .relaxed)
    slot[0].store(RingStamp.writing(sequence), ordering: .relaxed)
    atomicMemoryFence(ordering: .releasing)
    fill(place(slot, sequence, byteCount))
    slot[0].store(RingStamp.published(sequence) | UInt64(byteCount), ordering: .releasing)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if sleepers.pointee.load(ordering: .relaxed) != 0 { wake() }
  }

  /// Waits for the answer to a request, and reads what the far side left in its place before the slot is used again.
  ///
  /// - Parameters:
  ///   - byteCount: of the request.
  ///   - eager: how it is waited.
  ///   - deadline: of the monotonic clock, in nanoseconds.
  ///   - read: gets the 32 bits and the place, which the other process may still be writing to: copy what is needed
  ///     first, and check the copy.
  /// - Returns: nil when the time is over or the other process has ended. An answer that comes later is refused.
  public func answer<Result>(
    to sequence: UInt64, byteCount: Int, _ eager: EagerWait, deadline: UInt64,
    reading read: (UInt32, UnsafeRawPointer) -> Result
  ) -> Result? {
    let slot = slot(sequence)
    let word = slot + 1
    let pending = RingAnswer.pending(sequence)
    var value = word.pointee.load(ordering: .acquiring)
    eager.wait(before: deadline) {
      value = word.pointee.load(ordering: .acquiring)
      return value != pending
    } orSleep: {
      value = sleepUntilAnswered(word, sequence, deadline: deadline)
    }
    // Given up: the slot may be another request's by now.
    guard value != RingAnswer.none else { return nil }
    defer { word.pointee.store(RingAnswer.none, ordering: .releasing) }
    // Anything but the answer to this very request is none, or was written by a peer out of its mind.
    guard UInt32(truncatingIfNeeded: value) == UInt32(RingAnswer.answered(sequence, 0)) else {
      return nil
    }
    return read(
      UInt32(truncatingIfNeeded: value >> 32), UnsafeRawPointer(place(slot, sequence, byteCount)))
  }

  /// How many records the reader of a shared ring has released, as far as it can be believed.
  public var released: UInt64 { min(line(0)[1].load(ordering: .acquiring), published) }

  /// A published record that its reader has not released, in place; nil when there is none.
  public func record(_ sequence: UInt64) -> UnsafeRawBufferPointer? {
    let slot = slot(sequence)
    let stamp = slot[0].load(ordering: .acquiring)
    let size = Int(truncatingIfNeeded: stamp & RingStamp.sizeMask)
    guard RingStamp.isPublished(stamp, sequence), size <= recordLimit else { return nil }
    return UnsafeRawBufferPointer(start: place(slot, sequence, size), count: size)
  }
}
