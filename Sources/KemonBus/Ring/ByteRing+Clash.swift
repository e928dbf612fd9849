// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

/// What producers do when they meet at the claim.
///
/// Two that take turns pay for the way of the claim's line between their cores with every record. Who finds that another
/// one got in between rests: the other has the line to itself meanwhile, and publishes a run of records at the speed of
/// a single producer. All get on faster so, the one that rests included.
extension ByteRing {
  /// Clashes that are at most so far apart, in nanoseconds, are one fight.
  private static let fight: UInt64 = 20_000
  /// The shortest and the longest rest, in pauses of the processor, about 30 ns each.
  private static let rests: (shortest: UInt64, longest: UInt64) = (8, 256)

  /// When producers last met, and how long they rest after that: in the other half of the claim's pair of lines.
  private var lastClash: RingWord { claim + 8 }
  private var restLength: RingWord { claim + 9 }

  /// Takes the next sequence after another producer got in between: once, and surely.
  @usableFromInline
  func claimLater() -> UInt64 {
    let now = EventClock.monotonic()
    let isFight = now &- lastClash.pointee.load(ordering: .relaxed) < Self.fight
    let rest =
      isFight
      ? min(restLength.pointee.load(ordering: .relaxed) &* 2, Self.rests.longest)
      : Self.rests.shortest
    // Several may be here at once; then one of their times is as good as the other.
    lastClash.pointee.store(now, ordering: .relaxed)
    restLength.pointee.store(rest, ordering: .relaxed)
    for _ in 0..<rest { ckemon_pause() }
    return claim.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
  }

  /// Rests for a moment and looks at the claim again: for producers that never wait for room.
  ///
  /// - Returns: the claim.
  @usableFromInline
  func stepBack() -> UInt64 {
    for _ in 0..<Self.rests.shortest { ckemon_pause() }
    return claim.pointee.load(ordering: .relaxed)
  }
}
