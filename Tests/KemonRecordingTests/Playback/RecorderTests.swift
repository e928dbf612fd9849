// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct RecorderTests {
  let folder: ScratchFolder
  let path: String

  init() throws {
    folder = try ScratchFolder()
    path = folder.file("a.kemon")
  }

  func publish(_ numbers: Range<UInt64>, on ring: EventRing) {
    var builder = RecordBuilder()
    for number in numbers {
      SampleRecords.build(number) { builder.begin(copying: $0) }
      builder.seal()
      ring.publish(&builder)
    }
  }

  @Test func `everything published between start and stop is in the file`() throws {
    let ring = EventRing(slots: 64)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .block)
    publish(0..<10, on: ring)
    try recorder.start()
    publish(10..<3010, on: ring)
    let account = recorder.stop()
    #expect(account.produced == 3000 && account.delivered == 3000 && account.isBalanced)
    #expect(recorder.failure == nil)
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(outcome.isComplete && records.count == 3000)
    #expect((0..<3000).allSatisfy { SampleRecords.path(records[$0]) == "/tmp/\($0 + 10)" })
    #expect(recorder.stop() == account)
  }

  @Test func `who was asked and had nothing to say is in the file`() throws {
    let ring = EventRing(slots: 64)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .block)
    try recorder.start()
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add(
      (1...3).map { number in
        Handler(
          name: "silent", pluginID: number, pluginName: "p\(number)",
          kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE), EventKind(KEMON_KIND_FILE_OPEN)],
          function: { _, _, _ in 0 })
      })
    var builder = RecordBuilder()
    for number in 0..<UInt64(200) {
      SampleRecords.build(number) { builder.begin(copying: $0) }
      dispatcher.dispatch(&builder)
    }
    recorder.stop()
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(outcome.isComplete && records.count == 200)
    for index in 0..<records.count {
      let record = records[index]
      #expect((0..<record.voteCount).map { record.vote($0).plugin_id } == [1, 2, 3])
    }
  }

  @Test func `a recorder that may lose events says how many, and has the others`() throws {
    let ring = EventRing(slots: 16)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .drop)
    try recorder.start()
    publish(0..<20_000, on: ring)
    let account = recorder.stop()
    #expect(account.produced == 20_000 && account.isBalanced && account.pending == 0)
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(outcome.isComplete && UInt64(records.count) == account.delivered)
    // What was lost leaves gaps in the numbers, and a mark behind each.
    var last = records.count > 0 ? records[0].event.pointee.seq : 0
    for index in 1..<max(1, records.count) {
      let event = records[index].event.pointee
      #expect((event.seq == last + 1) == (event.flags & UInt16(KEMON_EV_GAP_BEFORE) == 0))
      last = event.seq
    }
  }

  @Test func `several threads may publish`() async throws {
    let ring = EventRing(slots: 256)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .block)
    try recorder.start()
    let threads = (0..<4).map { part in
      WorkerThread(named: "producer") {
        var builder = RecordBuilder()
        for number in 0..<UInt64(500) {
          SampleRecords.build(UInt64(part) * 1000 + number) { builder.begin(copying: $0) }
          builder.seal()
          ring.publish(&builder)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(recorder.stop().delivered == 2000)
    let (records, _) = try RecordingReader(opening: path).loadAll()
    let numbers = (0..<records.count).map { records[$0].event.pointee.seq }
    #expect(numbers == Array(numbers[0]..<numbers[0] + 2000))
  }

  @Test func `several threads may stop a recorder`() throws {
    let ring = EventRing(slots: 64)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .block)
    try recorder.start()
    publish(0..<1000, on: ring)
    let threads = (0..<4).map { _ in WorkerThread(named: "stopper") { recorder.stop() } }
    for thread in threads { thread.join() }
    #expect(recorder.stop().delivered == 1000)
    #expect(try RecordingReader(opening: path).loadAll().records.count == 1000)
  }

  @Test func `a filter mutes the rest`() throws {
    let ring = EventRing()
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .block,
      filter: try EventFilter(parsing: "path == \"/tmp/7\""))
    try recorder.start()
    publish(0..<100, on: ring)
    let account = recorder.stop()
    #expect(account.delivered == 1 && account.muted == 99 && account.isBalanced)
    #expect(try RecordingReader(opening: path).loadAll().records.count == 1)
  }

  @Test func `when the disk is full the rest is lost with a reason and nobody waits`() throws {
    var options = RecordingWriter.Options()
    options.batch = 16
    options.maximumBytes = 150_000
    let ring = EventRing(slots: 64)
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path, options: options), overflow: .block)
    try recorder.start()
    // Many times what the ring holds: a recorder that stood still would block this.
    publish(0..<5000, on: ring)
    let account = recorder.stop()
    #expect(account.produced == 5000 && account.isBalanced)
    #expect(account.lost > 0 && account.delivered > 0)
    #expect(recorder.failure?.code == .full)
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(outcome.isComplete && UInt64(records.count) == account.delivered)
  }

  @Test func `an event is in the file within a second though few are published`() throws {
    let ring = EventRing()
    let recorder = Recorder(
      ring: ring, writer: try RecordingWriter(creating: path), overflow: .drop)
    try recorder.start()
    publish(1..<2, on: ring)
    let deadline = Date().addingTimeInterval(5)
    while recorder.account.delivered == 0, Date() < deadline { usleep(20_000) }
    #expect(recorder.account.delivered == 1)
    #expect(try RecordingReader(opening: path).loadAll().records.count == 1)
    recorder.stop()
  }
}
