// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

/// The other side is a program in C, and is killed.
@Suite(.serialized, .enabled(if: RingPeer.program != nil, "needs a C compiler, cc"))
struct SharedRingDeathTests {
  static let configuration = RingConfiguration(slots: 64, slotBytes: 256, recordLimit: 65_536)

  @Test func `a peer in C answers what it reads`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    let peer = try RingPeer(ring, "answer")
    var random = SplitMix64(seed: 5)
    for turn in 0..<5000 {
      let size = turn % 50 == 0 ? 30_000 : Int.random(in: 0...240, using: &random)
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* turn) }
      try bytes.withUnsafeBytes { bytes in
        let sequence = try #require(try ring.ring.tryRequest(bytes))
        let deadline = EventClock.monotonic() + 5_000_000_000
        #expect(ring.ring.answer(to: sequence, deadline: deadline) == RingPeer.sum(bytes))
      }
    }
    peer.kill()
    #expect(ring.peerHasEnded)
  }

  @Test func `a record that a dying producer began becomes a gap`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .reader)
    let reader = SharedReader(ring)
    for turn in 0..<UInt64(5) {
      let peer = try RingPeer(ring, "die")
      peer.waitForEnd()
      #expect(ring.peerHasEnded)
      #expect(reader.passDeadProducer() == 1)
      var gaps: [UInt64] = []
      while reader.drain({ record in
        gaps.append(record.lostBefore)
        return true
      }) > 0 {}
      #expect(gaps == [turn == 0 ? 0 : 1, 0, 0])
      let account = reader.account(named: "r")
      #expect(account.delivered == 3 * (turn + 1))
      #expect(account.losses.abandoned == turn + 1 && account.isBalanced)
    }
  }

  /// A producer in C is killed at random moments: what it finished arrives whole, what it began is counted.
  @Test func `the reader survives two hundred deaths of the producer`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .reader)
    let reader = SharedReader(ring)
    var random = SplitMix64(seed: 11)
    var next: UInt64 = 0
    var given: UInt64 = 0
    var faults = 0
    func check(_ record: RingRecord) -> Bool {
      let sum = record.bytes.load(as: UInt32.self)
      let rest = UnsafeRawBufferPointer(rebasing: record.bytes[4...])
      if sum != RingPeer.sum(rest) || record.sequence != next + record.lostBefore { faults += 1 }
      next = record.sequence + 1
      return true
    }
    for death in 0..<Stress.deaths {
      let peer = try RingPeer(ring, "publish", "\(death)")
      let end = EventClock.monotonic() + UInt64.random(in: 500_000...4_000_000, using: &random)
      while EventClock.monotonic() < end { reader.drain(limit: 16, check) }
      peer.kill()
      given += reader.passDeadProducer()
      while reader.drain({ check($0) }) > 0 {}
    }
    let account = reader.account(named: "r")
    #expect(faults == 0)
    #expect(account.isBalanced && account.losses.abandoned == given, "\(account)")
    #expect(account.delivered > UInt64(2 * Stress.deaths))
  }

  /// A reader in C is killed at random moments: nobody waits for it, and a new one goes on.
  @Test func `the producer survives two hundred deaths of the reader`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    var random = SplitMix64(seed: 12)
    var (asked, answered, unanswered, wrong, unread) = (0, 0, 0, 0, UInt64(0))
    for _ in 0..<Stress.deaths {
      let peer = try RingPeer(ring, "answer")
      let end = EventClock.monotonic() + UInt64.random(in: 500_000...4_000_000, using: &random)
      let pid = peer.pid
      let killer = WorkerThread(named: "killer") {
        while EventClock.monotonic() < end { usleep(50) }
        kill(pid, SIGKILL)
      }
      var isOver = false
      while !isOver {
        let bytes = withUnsafeBytes(of: random.next()) { Array($0) }
        try bytes.withUnsafeBytes { bytes in
          guard let sequence = try ring.ring.tryRequest(bytes) else {
            isOver = true
            return
          }
          asked += 1
          let start = EventClock.monotonic()
          let answer = ring.ring.answer(to: sequence, spins: 500, deadline: start + 5_000_000_000)
          if let answer {
            answered += 1
            if answer != RingPeer.sum(bytes) { wrong += 1 }
          } else {
            unanswered += 1
            isOver = true
            // Not the deadline ended it, but the death.
            if EventClock.monotonic() - start > 4_000_000_000 { wrong += 1 }
          }
        }
      }
      killer.join()
      peer.waitForEnd()
      unread += ring.replacePeer()
    }
    #expect(wrong == 0)
    #expect(asked == answered + unanswered && answered > 2 * Stress.deaths)
    // A reader may die between its answer and its release.
    #expect(unread <= UInt64(unanswered + Stress.deaths))
  }
}
