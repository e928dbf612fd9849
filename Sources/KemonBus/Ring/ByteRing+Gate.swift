// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

/// The producers' slow paths: looking at the readers, and waiting for them or for each other.
extension ByteRing {
  /// Waits until the slot of a sequence has been read by every gating reader.
  @usableFromInline
  func waitForRoom(_ sequence: UInt64) {
    var turns = 0
    var watch = StandstillWatch()
    while !refreshLimit(for: sequence) {
      turns += 1
      if turns < 32 {
        for _ in 0..<32 { ckemon_pause() }
      } else if turns < 96 {
        sched_yield()
      } else {
        evictStanding(&watch, for: sequence)
        usleep(50)
      }
    }
  }

  /// Waits until the producer of the lap before has stamped its record.
  @usableFromInline
  func waitForProducer(_ slot: RingWord, _ sequence: UInt64) {
    var turns = 0
    while !isFree(slot, sequence) {
      turns += 1
      if turns < 32 { ckemon_pause() } else { sched_yield() }
    }
  }

  /// Takes a new limit from the readers' cursors.
  ///
  /// The limit starts from the claim word as it was before the readers are looked at: who joins later starts at or
  /// behind that claim, so a limit that does not know him cannot overrun him.
  ///
  /// - Returns: whether the sequence is below the limit.
  @usableFromInline
  func refreshLimit(for sequence: UInt64) -> Bool {
    // Those who join store their state before they read the claim: with this fence one of both sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let slots = slotMask &+ 1
    let claimed = published
    var lowest = claimed
    for index in 0..<usedLines {
      let line = line(index)
      switch line[0].load(ordering: .sequentiallyConsistent) {
      case LineState.gating:
        lowest = min(lowest, cursor(of: line, claimed: claimed))
      case LineState.copying where line[3].load(ordering: .relaxed) != 0:
        if line[1].load(ordering: .relaxed) &+ slots < claimed {
          overflows.pointee.store(1, ordering: .relaxed)
        }
      default: break
      }
    }
    let new = lowest &+ slots
    guard sequence < new else { return false }
    limit.pointee.store(new, ordering: .releasing)
    return true
  }

  /// How far a gating reader is; one that is out of its mind counts as standing where the ring can still wait for it.
  private func cursor(of line: RingWord, claimed: UInt64) -> UInt64 {
    let cursor = line[1].load(ordering: .acquiring)
    return cursor > claimed ? (isShared ? 0 : claimed) : cursor
  }

  private var usedLines: Int {
    min(Int(lineCount.pointee.load(ordering: .sequentiallyConsistent)), RingLayout.subscriberLimit)
  }

  /// Evicts gating readers that have not moved for as long as they may stand, and hold this sequence back.
  private func evictStanding(_ watch: inout StandstillWatch, for sequence: UInt64) {
    if peerHasEnded { line(0)[0].store(LineState.evicted, ordering: .sequentiallyConsistent) }
    for index in 0..<usedLines {
      let line = line(index)
      let patience = line[2].load(ordering: .relaxed)
      guard patience != 0, line[0].load(ordering: .acquiring) == LineState.gating else { continue }
      let cursor = line[1].load(ordering: .acquiring)
      guard cursor &+ slotMask < sequence else { continue }
      guard watch.hasStood(index, at: cursor, for: patience) else { continue }
      _ = line[0].compareExchange(
        expected: LineState.gating, desired: LineState.evicted, ordering: .sequentiallyConsistent)
    }
  }
}

/// Since when one producer has seen readers stand still.
struct StandstillWatch {
  private var seen: [Int: (cursor: UInt64, since: UInt64)] = [:]

  /// Whether the reader of a line has been at the same place for that many nanoseconds.
  mutating func hasStood(_ line: Int, at cursor: UInt64, for nanoseconds: UInt64) -> Bool {
    let now = EventClock.monotonic()
    guard let last = seen[line], last.cursor == cursor else {
      seen[line] = (cursor, now)
      return false
    }
    return now &- last.since >= nanoseconds
  }
}
