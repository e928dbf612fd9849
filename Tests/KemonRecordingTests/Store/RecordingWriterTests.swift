// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct RecordingWriterTests {
  let folder: ScratchFolder
  let path: String

  init() throws {
    folder = try ScratchFolder()
    path = folder.file("a.kemon")
  }

  func write(
    _ numbers: ClosedRange<UInt64>, to writer: RecordingWriter
  ) throws {
    for number in numbers { try SampleRecords.build(number) { try writer.append($0) } }
  }

  @Test func `what is written is read back byte by byte, in order`() throws {
    let writer = try RecordingWriter(creating: path, meta: ["source": "test"])
    try SampleRecords.build(1, verdict: .deny) { try writer.append($0) }
    try write(2...1000, to: writer)
    try writer.close()

    let reader = try RecordingReader(opening: path)
    var expected: UInt64 = 0
    let outcome = reader.forEach { record in
      expected += 1
      SampleRecords.build(expected, verdict: expected == 1 ? .deny : .abstain) {
        #expect($0.bytes.elementsEqual(record.bytes))
      }
      return true
    }
    #expect(expected == 1000)
    #expect(outcome.read == 1000 && outcome.isComplete)
    #expect(try reader.meta() == ["source": "test"])
  }

  @Test func `a closed recording is one file`() throws {
    let writer = try RecordingWriter(creating: path)
    try write(1...10, to: writer)
    try writer.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.kemon"])
    #expect(try RecordingReader(opening: path).wasClosed)
  }

  @Test func `only its owner may read a recording`() throws {
    try RecordingWriter(creating: path).close()
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func `a recording that cannot be begun leaves no file`() throws {
    var options = RecordingWriter.Options()
    options.maximumBytes = 8192
    let error = #expect(throws: RecordingError.self) {
      try RecordingWriter(creating: path, options: options)
    }
    #expect(error?.code == .full)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func `the view shows names beside numbers`() throws {
    let writer = try RecordingWriter(creating: path)
    try SampleRecords.build(1, verdict: .deny) { try writer.append($0) }
    try SampleRecords.build(2) { try writer.append($0) }
    try writer.set(plugins: [7: "path-guard"], handlers: [9: "on_open"])
    try writer.close()

    let rows = try DatabaseQueue(path: path).read {
      try Row.fetchAll(
        $0,
        sql: "SELECT name, family, phase, pid, verdict, decided_by FROM events ORDER BY seq")
    }
    #expect(
      rows.map(\.description) == [
        "[name:\"file.open\" family:\"file\" phase:\"pre\" pid:101 verdict:\"deny\" decided_by:\"path-guard\"]",
        "[name:\"file.open\" family:\"file\" phase:\"post\" pid:102 verdict:\"abstain\" decided_by:NULL]",
      ])
    let reader = try RecordingReader(opening: path)
    #expect(try reader.pluginNames() == [7: "path-guard"])
    #expect(try reader.handlerNames() == [9: "on_open"])
  }

  @Test func `an existing file is never overwritten`() throws {
    _ = try folder.write([1, 2, 3], to: "a.kemon")
    let error = #expect(throws: RecordingError.self) { try RecordingWriter(creating: path) }
    #expect(error?.code == .exists)
    #expect(try bytes(of: path) == [1, 2, 3])
  }

  @Test func `records can be added behind those of a closed recording`() throws {
    let first = try RecordingWriter(creating: path)
    try write(1...5, to: first)
    try first.close()
    let second = try RecordingWriter(appendingTo: path)
    try write(6...9, to: second)
    try second.close()
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(outcome.isComplete)
    #expect((0..<records.count).map { records[$0].event.pointee.seq } == Array(1...9))
  }

  @Test func `nothing is added to a foreign file`() throws {
    let foreign = try folder.write(Array("hello, this is a text\n".utf8), to: "b.txt")
    let error = #expect(throws: RecordingError.self) { try RecordingWriter(appendingTo: foreign) }
    #expect(error?.code == .notARecording)
    let database = folder.file("c.db")
    try DatabaseQueue(path: database).write { try $0.execute(sql: "CREATE TABLE t (x)") }
    let other = #expect(throws: RecordingError.self) { try RecordingWriter(appendingTo: database) }
    #expect(other?.code == .notARecording)
  }

  @Test func `a full batch is committed at once and a part of one after its time`() throws {
    var options = RecordingWriter.Options()
    options.batch = 10
    options.interval = 50
    let writer = try RecordingWriter(creating: path, options: options)
    try write(1...25, to: writer)
    #expect(writer.committed >= 20)
    usleep(60_000)
    try writer.commitIfDue()
    #expect(writer.committed == 25)
    try writer.close()
  }

  @Test func `a writer that is killed loses its open batch only`() throws {
    var options = RecordingWriter.Options()
    options.batch = 100
    options.interval = 60_000
    let writer = try RecordingWriter(creating: path, options: options)
    try write(1...1050, to: writer)
    // What a killed process leaves: the file and the log beside it, as they are now.
    let left = try ScratchFolder()
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: path + suffix, toPath: left.file("a.kemon") + suffix)
    }
    try writer.close()

    let reader = try RecordingReader(opening: left.file("a.kemon"))
    #expect(!reader.wasClosed)
    let outcome = reader.forEach { _ in true }
    #expect(outcome.read == 1000 && outcome.isComplete)
    // And it can be written on.
    let again = try RecordingWriter(appendingTo: left.file("a.kemon"))
    try write(1051...1052, to: again)
    try again.close()
    #expect(try RecordingReader(opening: left.file("a.kemon")).loadAll().records.count == 1002)
  }

  @Test func `a writer that goes away closes its file`() throws {
    do {
      let writer = try RecordingWriter(creating: path)
      try write(1...10, to: writer)
    }
    #expect(try RecordingReader(opening: path).loadAll().records.count == 10)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.kemon"])
  }

  @Test func `after a kill -9 the committed batches are read and the recording can go on`()
    async throws
  {
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      var options = RecordingWriter.Options()
      options.batch = 100
      options.interval = 60_000
      let writer = try RecordingWriter(creating: path, options: options)
      for number in 1...UInt64(1050) {
        try SampleRecords.build(number) { try writer.append($0) }
      }
      kill(getpid(), SIGKILL)
    }
    #expect(FileManager.default.fileExists(atPath: path + "-wal"))
    #expect(try RecordingReader(opening: path).loadAll().records.count == 1000)
    let again = try RecordingWriter(appendingTo: path)
    try write(2001...2003, to: again)
    try again.close()
    let (records, outcome) = try RecordingReader(opening: path).loadAll()
    #expect(records.count == 1003 && outcome.isComplete)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.kemon"])
  }

  @Test func `a recording that reaches its size limit says so and keeps what it has`() throws {
    var options = RecordingWriter.Options()
    options.batch = 50
    options.maximumBytes = 200_000
    let writer = try RecordingWriter(creating: path, options: options)
    let error = #expect(throws: RecordingError.self) { try write(1...10_000, to: writer) }
    #expect(error?.code == .full)
    let kept = writer.committed
    #expect(kept > 0)
    // It fails at once from then on, and closes all the same.
    SampleRecords.build(1) { record in
      #expect(throws: RecordingError.self) { try writer.append(record) }
    }
    try writer.close()
    let outcome = try RecordingReader(opening: path).forEach { _ in true }
    #expect(outcome.read == kept && outcome.isComplete)
  }

  @Test func `a close that finds the disk full says so and closes`() throws {
    var options = RecordingWriter.Options()
    options.batch = 100_000
    options.interval = 60_000
    options.maximumBytes = 100_000
    let writer = try RecordingWriter(creating: path, options: options)
    try write(1...3000, to: writer)
    let error = #expect(throws: RecordingError.self) { try writer.close() }
    #expect(error?.code == .full && writer.committed == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.kemon"])
    #expect(try RecordingReader(opening: path).loadAll().records.count == 0)
  }

  @Test func `a missing folder is named`() throws {
    let error = #expect(throws: RecordingError.self) {
      try RecordingWriter(creating: folder.file("no/such/folder.kemon"))
    }
    #expect(error?.code == .cannotOpen)
  }
}
