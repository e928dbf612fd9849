// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@Suite struct EventRingTests {
  @Test func `every subscriber sees every event in order`() throws {
    let ring = EventRing(slots: 16)
    let subscribers = try (0..<3)
      .map { try ring.subscribe(named: "s\($0)", overflow: $0 == 0 ? .block : .drop) }
    var builder = RecordBuilder()
    for number in 0..<10 {
      makeOpen("/\(number)", &builder)
      ring.publish(&builder)
    }
    for subscriber in subscribers {
      var paths: [String] = []
      _ = subscriber.drain { record in
        paths.append(record.view(of: kemon_file.self)?.path.string ?? "")
        return true
      }
      #expect(paths == (0..<10).map { "/\($0)" })
      #expect(subscriber.account.isBalanced)
      #expect(subscriber.account.delivered == 10)
    }
  }

  @Test func `more subscribers than there are places are refused, not fatal`() throws {
    let ring = EventRing(slots: 16)
    var subscribers = try (0..<64).map { try ring.subscribe(named: "s\($0)", overflow: .drop) }
    let refusal = #expect(throws: RingError.self) {
      try ring.subscribe(named: "one more", overflow: .drop)
    }
    #expect(refusal?.code == .tooManySubscribers)
    let observer = Observer(named: "o", ring: ring, overflow: .drop, handlers: [])
    #expect(throws: RingError.self) { try observer.start() }
    #expect(observer.account == SubscriberAccount(name: "o"))
    subscribers.removeLast().cancel()
    try observer.start()
    observer.stop()
  }

  @Test func `who joins later sees what is published from then on`() throws {
    let ring = EventRing(slots: 8)
    var builder = RecordBuilder()
    makeOpen("/before", &builder)
    ring.publish(&builder)
    let subscriber = try ring.subscribe(named: "late", overflow: .drop)
    #expect(subscriber.drain { _ in true } == 0)
    ring.publish(&builder)
    #expect(subscriber.drain { _ in true } == 1)
    #expect(subscriber.account.produced == 1)
  }

  @Test func `a lapped subscriber knows how much it lost and the next event says so`() throws {
    let ring = EventRing(slots: 16)
    let subscriber = try ring.subscribe(named: "slow", overflow: .drop)
    var builder = RecordBuilder()
    for number in 0..<100 {
      makeOpen("/\(number)", &builder)
      ring.publish(&builder)
    }
    var gaps: [Bool] = []
    var last = UInt64(0)
    let taken = subscriber.drain { record in
      gaps.append(record.event.pointee.flags & UInt16(KEMON_EV_GAP_BEFORE) != 0)
      last = record.event.pointee.seq
      return true
    }
    #expect(gaps.first == true)
    #expect(gaps.dropFirst().allSatisfy { !$0 })
    #expect(last == 100)
    let account = subscriber.account
    #expect(account.lost == UInt64(100 - taken) && account.isBalanced && account.pending == 0)
  }

  @Test func `what a subscriber leaves unread is lost and counted`() throws {
    let ring = EventRing(slots: 16)
    let subscriber = try ring.subscribe(named: "leaver", overflow: .drop)
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    for _ in 0..<5 { ring.publish(&builder) }
    _ = subscriber.drain(limit: 2) { _ in true }
    subscriber.cancel()
    subscriber.cancel()
    ring.publish(&builder)
    var expected = SubscriberAccount(name: "leaver", produced: 5, delivered: 2, lost: 3)
    expected.losses.unread = 3
    #expect(subscriber.account == expected)
    #expect(subscriber.drain { _ in true } == 0)
  }

  @Test func `a record larger than a slot comes through whole`() throws {
    let ring = EventRing(slots: 4, slotBytes: 256)
    let subscribers = [
      try ring.subscribe(named: "b", overflow: .block),
      try ring.subscribe(named: "d", overflow: .drop),
    ]
    var builder = RecordBuilder()
    for size in [10, 300, 5000, 60_000, 200, 30_000] {
      makeOpen("/" + String(repeating: "x", count: size), &builder)
      ring.publish(&builder)
      for subscriber in subscribers {
        _ = subscriber.drain { record in
          #expect(record.view(of: kemon_file.self)?.path.bytes.count == size + 1)
          return true
        }
      }
    }
  }

  /// 4 producers, subscribers of both kinds that come and go: nothing torn, order kept, accounts exact.
  @Test func `under load nothing is torn, doubled or reordered and every account balances`() throws
  {
    let ring = EventRing(slots: 64, slotBytes: 256)
    let (producers, perProducer) = (4, 4000)
    let isDone = Counter()
    let faults = Counter()
    let gating = try ring.subscribe(named: "gate", overflow: .block)
    let dropping = try ring.subscribe(named: "drop", overflow: .drop)
    let readers = [gating, dropping]
      .map { subscription in
        WorkerThread(named: "reader") { readAll(subscription, until: isDone, faults: faults) }
      }
    let guest = WorkerThread(named: "guest") { comeAndGo(ring, until: isDone, faults: faults) }
    let writers = (0..<producers)
      .map { number in
        WorkerThread(named: "producer") { produce(ring, number, perProducer) }
      }
    for writer in writers { writer.join() }
    isDone.add(1)
    for reader in readers + [guest] { reader.join() }
    #expect(faults.value == 0)
    #expect(gating.account.delivered == UInt64(producers * perProducer))
    for account in [gating.account, dropping.account] {
      #expect(account.isBalanced && account.pending == 0, "\(account)")
    }
  }
}

/// Joins and leaves all the time, blocking and dropping by turns.
private func comeAndGo(_ ring: EventRing, until isDone: Counter, faults: Counter) {
  var turn = 0
  while isDone.value == 0 {
    turn += 1
    let overflow: OverflowPolicy = turn % 2 == 0 ? .block : .drop
    guard let guest = try? ring.subscribe(named: "guest", overflow: overflow) else {
      return faults.add(1)
    }
    for _ in 0..<5 { _ = guest.drain(limit: 8) { check($0, faults) } }
    guest.cancel()
    if !guest.account.isBalanced { faults.add(1) }
  }
}

/// Publishes numbered records whose text is made from their number.
private func produce(_ ring: EventRing, _ producer: Int, _ count: Int) {
  var builder = RecordBuilder()
  var random = SplitMix64(seed: UInt64(producer))
  for number in 0..<count {
    let size = number % 64 == 0 ? 3000 : Int.random(in: 1...60, using: &random)
    let byte = UInt8(truncatingIfNeeded: number &* 31 &+ producer)
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN))
    builder.header.pointee.subject.pid = Int32(producer)
    builder.header.pointee.corr = UInt64(number)
    let path = [UInt8](repeating: byte | 1, count: size)
      .withUnsafeBytes { builder.text($0) }
    builder.setPayload(
      kemon_file(dev: UInt64(size), ino: UInt64(byte | 1), flags: 0, mode: 0, path: path))
    builder.seal()
    ring.publish(&builder)
  }
}

private func readAll(
  _ subscription: Subscription, until isDone: Counter, faults: Counter
) {
  var last = [Int64](repeating: -1, count: 4)
  var lastSequence = UInt64(0)
  while true {
    let finished = isDone.value > 0
    let taken = subscription.drain { record in
      let event = record.event.pointee
      let producer = Int(event.subject.pid)
      if Int64(event.corr) <= last[producer] || event.seq <= lastSequence {
        faults.add(1)
      }
      last[producer] = Int64(event.corr)
      lastSequence = event.seq
      return check(record, faults)
    }
    if taken == 0 {
      if finished { break }
      subscription.wait(milliseconds: 5)
    }
  }
}

@discardableResult
private func check(_ record: RecordView, _ faults: Counter) -> Bool {
  guard let file = record.view(of: kemon_file.self), file.path.bytes.count == Int(file.dev),
    file.path.bytes.allSatisfy({ UInt64($0) == file.ino })
  else {
    faults.add(1)
    return true
  }
  return true
}
