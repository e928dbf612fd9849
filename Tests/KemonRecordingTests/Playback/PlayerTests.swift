// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct PlayerTests {
  func arena(_ count: UInt64, deny: Set<UInt64> = []) -> RecordArena {
    var buffer = RecordBuffer()
    for number in 1...count {
      SampleRecords.build(number, verdict: deny.contains(number) ? .deny : .abstain) {
        buffer.append($0)
      }
    }
    return RecordArena(taking: buffer)
  }

  @Test func `each event comes anew: without votes and verdict, marked as replayed`() {
    var seen: [String] = []
    let count = Player().play(arena(4, deny: [1, 3])) { builder in
      let record = builder.seal()
      let event = record.event.pointee
      #expect(event.votes_count == 0 && event.verdict == 0 && event.decided_by == 0)
      #expect(event.flags & UInt16(KEMON_EV_REPLAYED) != 0 && event.seq == 0)
      seen.append(SampleRecords.path(record))
    }
    #expect(count == 4)
    #expect(seen == ["/tmp/1", "/tmp/2", "/tmp/3", "/tmp/4"])
  }

  @Test
  func `a replay through a dispatcher gives verdicts, and a denied operation ends with its errno`()
    throws
  {
    let ring = EventRing()
    let clock = EventClock()
    let dispatcher = Dispatcher(ring: ring, clock: clock)
    dispatcher.add([
      Handler(
        name: "deny", pluginID: 3, pluginName: "test",
        kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
        filter: try EventFilter(parsing: "path == \"/tmp/3\""),
        function: { _, _, verdict in
          guard let verdict else { return KEMON_E_INVALID }
          return kemon_deny(verdict, 13, "not this one")
        })
    ])
    let subscription = try ring.subscribe(named: "test", overflow: .drop)
    let outcome = Player(clock: clock).play(arena(6), into: dispatcher)
    #expect(outcome == Player.Outcome(events: 6, denied: 1))
    var results: [Int32] = []
    var verdicts: [VerdictAction] = []
    _ = subscription.drain { record in
      results.append(record.event.pointee.result)
      verdicts.append(record.verdict)
      return true
    }
    // Event 3 is before, event 4 after the operation.
    #expect(verdicts == [.abstain, .abstain, .deny, .abstain, .abstain, .abstain])
    #expect(results == [0, 0, 0, 13, 0, 0])
  }

  @Test func `the clock stands at the time of the event, and runs again afterwards`() {
    let clock = EventClock()
    var times: [UInt64] = []
    Player(clock: clock).play(arena(3)) { _ in times.append(clock.now()) }
    #expect(times == [1, 2, 3].map { 1_500_000_000_000_000_000 + $0 })
    #expect(clock.now() > 1_600_000_000_000_000_000)
  }

  @Test func `a replay in time keeps the distances`() {
    var buffer = RecordBuffer()
    for number in 0..<UInt64(3) {
      SampleRecords.build(1) { record in
        var builder = RecordBuilder()
        builder.begin(copying: record)
        builder.header.pointee.time_ns = 1_000_000_000 + number * 100_000_000
        buffer.append(builder.seal())
      }
    }
    let start = EventClock.monotonic()
    Player(speed: .times(2)).play(RecordArena(taking: buffer)) { _ in }
    let passed = EventClock.monotonic() - start
    #expect(passed >= 100_000_000)
    #expect(passed < 2_000_000_000)
  }

  @Test func `a replay can be stopped, also in a pause`() {
    let player = Player()
    var count = 0
    let played = player.play(arena(100)) { _ in
      count += 1
      if count == 10 { player.stop() }
    }
    #expect(played == 10 && count == 10)
    #expect(player.play(arena(100)) { _ in } == 0)
  }

  @Test func `a part of an arena can be played`() {
    let records = arena(10)
    let from = records.firstIndex { $0.event.pointee.seq >= 4 }
    var seen: [String] = []
    let count = Player().play(records, range: (from ?? 0)..<99) {
      seen.append(SampleRecords.path($0.view))
    }
    #expect(count == 7 && seen.first == "/tmp/4" && seen.last == "/tmp/10")
    #expect(records.firstIndex { $0.event.pointee.seq > 10 } == nil)
  }

  @Test func `a recording is played without being loaded`() throws {
    let folder = try ScratchFolder()
    let writer = try RecordingWriter(creating: folder.file("a.kemon"))
    for number in 1...UInt64(20) { try SampleRecords.build(number) { try writer.append($0) } }
    try writer.close()
    let reader = try RecordingReader(opening: folder.file("a.kemon"))
    let (replay, reading) = Player().play(reader, into: Dispatcher(ring: EventRing()))
    #expect(replay == Player.Outcome(events: 20, denied: 0))
    #expect(reading.read == 20 && reading.isComplete)
    let player = Player()
    var seen = 0
    let stopped = player.play(reader) { _ in
      seen += 1
      if seen == 5 { player.stop() }
    }
    #expect(seen == 5 && stopped.read == 5)
  }

  @Test func `an arena copies the views that it is made from`() {
    let first = arena(5)
    let copy = RecordArena(copying: (0..<5).lazy.map { first[$0] })
    #expect(copy.count == 5 && copy.byteCount == first.byteCount)
    var index = 0
    copy.forEach { record in
      #expect(record.bytes.elementsEqual(first[index].bytes))
      index += 1
    }
  }
}
