// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@Suite struct ObserverTests {
  @Test(arguments: OverflowPolicy.allCases)
  func `stop reads everything that was published before it`(overflow: OverflowPolicy) throws {
    let ring = EventRing(slots: 4096)
    let seen = Voter(.abstain)
    let observer = Observer(
      named: "o", ring: ring, overflow: overflow,
      handlers: [seen.handler("h", kinds: [Int(KEMON_KIND_FILE_OPEN)])])
    try observer.start()
    var builder = RecordBuilder()
    for _ in 0..<1000 {
      makeOpen("/x", kind: Int(KEMON_KIND_FILE_OPEN), &builder)
      ring.publish(&builder)
      makeOpen("/x", &builder)
      ring.publish(&builder)
    }
    observer.stop()
    #expect(seen.calls.value == 1000)
    #expect(
      observer.account
        == SubscriberAccount(name: "o", produced: 2000, delivered: 1000, muted: 1000, lost: 0))
  }

  @Test func `an observer sleeps and is woken by an event`() async throws {
    let ring = EventRing(slots: 16)
    let seen = Voter(.abstain)
    let observer = Observer(
      named: "o", ring: ring, overflow: .drop, handlers: [seen.handler("h")])
    try observer.start()
    try await Task.sleep(for: .milliseconds(150))
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    ring.publish(&builder)
    for _ in 0..<500 where seen.calls.value == 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(seen.calls.value == 1)
    observer.stop()
  }

  @Test func `only an observer's thread says that it is one`() throws {
    final class Seen: Sendable { let isObserver = Counter() }
    let seen = Seen()
    let ring = EventRing(slots: 16)
    let observer = Observer(
      named: "o", ring: ring, overflow: .drop,
      handlers: [
        Handler(
          name: "h", pluginID: 1, pluginName: "p", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
          function: { context, _, _ in
            guard let context else { return -1 }
            Unmanaged<Seen>.fromOpaque(context).takeUnretainedValue()
              .isObserver.add(Observer.isCurrentThread ? 1 : 0)
            return 0
          }, context: Unmanaged.passUnretained(seen).toOpaque())
      ])
    try observer.start()
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    ring.publish(&builder)
    observer.stop()
    #expect(seen.isObserver.value == 1)
    #expect(!Observer.isCurrentThread)
  }

  @Test func `an event that no handler could be called for is lost, and says so`() throws {
    let ring = EventRing(slots: 64)
    let busy = Voter(.abstain, status: StandInStatus.noTurn)
    let observer = Observer(
      named: "o", ring: ring, overflow: .block, handlers: [busy.handler("h", isStandIn: true)])
    try observer.start()
    var builder = RecordBuilder()
    for _ in 0..<10 {
      makeOpen("/x", &builder)
      ring.publish(&builder)
    }
    observer.stop()
    let account = observer.account
    #expect(busy.calls.value == 10)
    #expect(account.produced == 10)
    #expect(account.delivered == 0)
    #expect(account.lost == 10)
    #expect(account.losses.named.map(\.name) == ["unasked"])
    #expect(account.losses.total == account.lost)

    // Another start is another account.
    try observer.start()
    observer.stop()
    #expect(observer.account.lost == 0)
  }

  @Test
  func `an event that one handler of two was called for is delivered, the other one is told of`()
    throws
  {
    let ring = EventRing(slots: 64)
    let (busy, free) = (Voter(.abstain, status: StandInStatus.noTurn), Voter(.abstain))
    let observer = Observer(
      named: "o", ring: ring, overflow: .block,
      handlers: [busy.handler("busy", isStandIn: true), free.handler("free")])
    try observer.start()
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    ring.publish(&builder)
    observer.stop()
    #expect(observer.account.delivered == 1)
    #expect(observer.account.lost == 0)
    #expect(observer.handlerStatistics().map(\.timeouts) == [1, 0])
    #expect(observer.handlerStatistics().map(\.calls) == [0, 1])
  }
}
