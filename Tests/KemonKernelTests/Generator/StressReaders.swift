// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Synchronization

/// Subscribers of a ring under load, each in a thread of its own: one that misses nothing, one that is slow and wants
/// only half of it, and one that leaves and comes again.
final class StressReaders: Sendable {
  private let isOver = Atomic<Bool>(false)
  private let unbalanced = Atomic<Int>(0)
  private let visits = Atomic<Int>(0)
  private let patient: Subscription
  private let slow: Subscription
  private let ring: EventRing

  /// Joins the ring.
  init(_ ring: EventRing) throws {
    self.ring = ring
    patient = try ring.subscribe(named: "patient", overflow: .block)
    slow = try ring.subscribe(named: "slow", overflow: .drop)
  }

  /// Reads while the body runs, and to the end afterwards.
  ///
  /// - Returns: the accounts of the two that stayed, and how often the third came and left unbalanced.
  func read(
    _ body: () throws -> Void
  ) throws -> (patient: SubscriberAccount, slow: SubscriberAccount, visits: Int, unbalanced: Int) {
    let threads = [
      WorkerThread(named: "patient") { self.readAll() },
      WorkerThread(named: "slow") { self.dawdle() },
      WorkerThread(named: "visitor") { self.visit() },
    ]
    let result = Result { try body() }
    isOver.store(true, ordering: .releasing)
    for thread in threads { thread.join() }
    try result.get()
    while patient.drain({ _ in true }) > 0 {}
    while slow.drain({ _ in false }) > 0 {}
    return (
      patient.account, slow.account, visits.load(ordering: .relaxed),
      unbalanced.load(ordering: .relaxed)
    )
  }

  /// A minute without any event under load means that somebody waits for ever.
  private static let longestSilence = Duration.seconds(60)

  private func readAll() {
    var last = ContinuousClock.now
    while !isOver.load(ordering: .acquiring) {
      if patient.drain({ _ in true }) > 0 {
        last = .now
      } else {
        patient.wait(milliseconds: 100)
        precondition(
          last.duration(to: .now) < Self.longestSilence, "nothing happens any more: a deadlock")
      }
    }
  }

  private func dawdle() {
    var count = 0
    while !isOver.load(ordering: .acquiring) {
      let taken = slow.drain(
        limit: 256,
        { _ in
          count += 1
          return count % 2 == 0
        })
      usleep(taken == 0 ? 100 : 1000)
    }
  }

  private func visit() {
    while !isOver.load(ordering: .acquiring) {
      guard let visitor = try? ring.subscribe(named: "visitor", overflow: .block) else { return }
      for _ in 0..<50 where visitor.drain({ _ in true }) == 0 { usleep(100) }
      visitor.cancel()
      if !visitor.account.isBalanced { unbalanced.wrappingAdd(1, ordering: .relaxed) }
      visits.wrappingAdd(1, ordering: .relaxed)
    }
  }
}
