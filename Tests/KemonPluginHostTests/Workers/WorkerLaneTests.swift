// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonBus
@testable import KemonPluginHost

/// Lanes and feeds, with a worker that the test plays.
@Suite struct WorkerLaneTests {
  /// The far end of a lane.
  private struct Far: Sendable {
    let end: OwnedDescriptor

    /// The number of the next question.
    func take() -> UInt64 {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(end.number, &bytes, bytes.count)
      guard count >= MemoryLayout<kemon_worker_request>.size else { return 0 }
      return bytes.withUnsafeBytes { $0.loadUnaligned(as: kemon_worker_request.self).number }
    }

    func answer(_ number: UInt64) {
      var answer = kemon_worker_answer()
      answer.number = number
      let size = MemoryLayout<kemon_worker_answer>.size
      #expect(write(end.number, &answer, size) == size)
    }
  }

  private func lane() throws -> (lane: SocketLane, far: Far) {
    let pair = try DescriptorPair.sockets(SOCK_SEQPACKET)
    return (SocketLane(SocketChannel(pair.near.release())), Far(end: pair.far))
  }

  /// Asks with next to no time, until the time was enough to ask.
  private func giveUp(_ lane: SocketLane) -> UInt64 {
    var question = Question()
    while true {
      let deadline = EventClock.monotonic() + 1_000_000
      if case .timedOut(let number) = lane.ask(
        0, question.builder.header, &question.verdict, deadline: deadline)
      {
        return number
      }
    }
  }

  @Test func `an answer that comes late is seen, though nobody asks again`() throws {
    let (lane, far) = try lane()
    let number = giveUp(lane)
    #expect(!lane.hasFinished(number))
    #expect(lane.activity != nil)
    #expect(far.take() == number)
    far.answer(number)
    #expect(lane.hasFinished(number))
    #expect(lane.activity == nil)
  }

  @Test func `who waits behind a question waits no longer than it may`() throws {
    let (lane, far) = try lane()
    let answered = Flag()
    let first = WorkerThread(named: "first") {
      var question = Question()
      if lane.ask(0, question.builder.header, &question.verdict, deadline: .max)
        == .answered(KEMON_OK)
      {
        answered.set()
      }
    }
    let number = far.take()
    var question = Question()
    let deadline = EventClock.monotonic() + 1_000_000
    #expect(
      lane.ask(0, question.builder.header, &question.verdict, deadline: deadline) == .noTurn)
    far.answer(number)
    first.join()
    #expect(answered.isSet)
  }

  @Test func `a feed believes no cursor that a worker has written`() throws {
    let feed = try RingFeed()
    let question = Question()
    #expect(feed.send(0, question.builder.header))
    #expect(feed.pending == 1)
    let ring = feed.shared.ring
    ring.claim.pointee.store(0, ordering: .sequentiallyConsistent)
    #expect(feed.pending == 1)
    ring.claim.pointee.store(.max, ordering: .sequentiallyConsistent)
    ring.line(0)[1].store(.max, ordering: .sequentiallyConsistent)
    #expect(feed.pending == 0 && feed.taken == 1)
  }

  @Test func `an event is pending until all its handlers have seen it`() throws {
    let pair = try DescriptorPair.sockets(SOCK_SEQPACKET)
    let feed = SocketFeed(SocketChannel(pair.near.release()))
    let far = Far(end: pair.far)
    let question = Question()
    func acknowledge(_ number: UInt64) {
      var number = number
      #expect(Glibc.write(pair.far.number, &number, 8) == 8)
    }
    question.builder.header.pointee.seq = 5
    #expect(feed.send(0, question.builder.header))
    #expect(feed.pending == 1, "not received yet")
    #expect(far.take() == 0)
    #expect(feed.pending == 0, "nobody says more")

    acknowledge(0)
    for handler in 0..<2 as Range<UInt32> { #expect(feed.send(handler, question.builder.header)) }
    question.builder.header.pointee.seq = 6
    #expect(feed.send(0, question.builder.header))
    #expect((0..<3).map { _ in far.take() } == [1, 2, 3])
    #expect(feed.pending == 2)
    acknowledge(1)
    #expect(feed.pending == 2 && feed.taken == 1)
    acknowledge(2)
    #expect(feed.pending == 1)
    acknowledge(.max)
    #expect(feed.pending == 0 && feed.taken == 3)
  }

  @Test func `what is pending is counted while it is taken`() throws {
    let feed = try RingFeed()
    let responder = SharedResponder(
      try SharedRing(attaching: dup(feed.shared.descriptor)))
    let isOver = Flag()
    let taker = WorkerThread(named: "taker") {
      while !isOver.isSet { _ = responder.serve { _ in 0 } }
    }
    let sender = WorkerThread(named: "sender") {
      let question = Question()
      while !isOver.isSet { _ = feed.send(0, question.builder.header) }
    }
    for _ in 0..<100_000 { #expect(feed.pending <= UInt64(RingFeed.slots)) }
    isOver.set()
    taker.join()
    sender.join()
  }
}
