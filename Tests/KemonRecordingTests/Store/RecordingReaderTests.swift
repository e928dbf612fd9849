// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct RecordingReaderTests {
  let folder: ScratchFolder
  let path: String

  init() throws {
    folder = try ScratchFolder()
    path = folder.file("a.kemon")
  }

  func record(_ count: UInt64) throws {
    let writer = try RecordingWriter(creating: path)
    for number in 1...count {
      try SampleRecords.build(number, verdict: number % 10 == 0 ? .deny : .abstain) {
        try writer.append($0)
      }
    }
    try writer.close()
  }

  func change(_ sql: String) throws {
    try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
  }

  func opening(_ path: String) -> RecordingError? {
    #expect(throws: RecordingError.self) { try RecordingReader(opening: path) }
  }

  @Test func `files that are no recordings are told apart`() throws {
    #expect(opening(folder.file("missing"))?.code == .cannotOpen)
    #expect(opening(try folder.write([], to: "empty"))?.code == .notARecording)
    #expect(opening(try folder.write(Array("plain text".utf8), to: "text"))?.code == .notARecording)
    #expect(opening(folder.path)?.code == .cannotOpen)
  }

  @Test func `another schema version is refused by its number`() throws {
    try record(3)
    try change("PRAGMA user_version = 99")
    let error = try #require(opening(path))
    #expect(error.code == .wrongVersion(found: 99, needed: 1))
    #expect(error.message == "schema version 99, this version reads 1")
  }

  @Test func `what stands in the place of a table is not read`() throws {
    try record(3)
    try change(
      """
      ALTER TABLE event RENAME TO other;
      CREATE VIEW event AS WITH RECURSIVE forever (id, seq, record) AS (
        SELECT 1, 1, x'00' UNION ALL SELECT id + 1, id, record FROM forever) SELECT * FROM forever
      """)
    let error = try #require(opening(path))
    #expect(error.code == .notARecording)
    #expect(error.message == "the table \"event\" is not that of schema version 1")
  }

  @Test func `indexes of the reader's own are fine for reading, not for adding events`() throws {
    try record(3)
    try change("CREATE INDEX mine ON event (corr)")
    #expect(try RecordingReader(opening: path).loadAll().records.count == 3)
    let error = #expect(throws: RecordingError.self) { try RecordingWriter(appendingTo: path) }
    #expect(error?.message.hasSuffix(": CREATE INDEX mine ON event (corr)") == true)
  }

  @Test func `a row that is no record is skipped and named`() throws {
    try record(20)
    try change("UPDATE event SET record = x'0102' WHERE id = 5")
    try change("UPDATE event SET record = substr(record, 1, length(record) - 8) WHERE id = 9")
    try change("UPDATE event SET record = zeroblob(200) WHERE id = 12")
    try change("UPDATE event SET record = 'text' WHERE id = 13")
    let reader = try RecordingReader(opening: path)
    var seen: [UInt64] = []
    let outcome = reader.forEach { record in
      seen.append(record.event.pointee.seq)
      return true
    }
    #expect(seen == (1...20).filter { ![5, 9, 12, 13].contains($0) })
    #expect(outcome.skipped == 4 && outcome.read == 16 && !outcome.isComplete)
    #expect(outcome.skippedRows.map(\.row) == [5, 9, 12, 13])
    #expect(outcome.skippedRows.map(\.reason.code) == [.tooShort, .tooShort, .tooShort, .tooShort])
    #expect(reader.loadAll().outcome == outcome)
  }

  @Test(arguments: [0.9, 0.5, 0.2])
  func `of a file that is cut the good records are read`(part: Double) throws {
    try record(5000)
    let whole = try bytes(of: path)
    let cut = try folder.write(
      Array(whole.prefix(Int(Double(whole.count) * part))), to: "cut.kemon")
    let reader = try RecordingReader(opening: cut)
    var expected: UInt64 = 0
    let outcome = reader.forEach { record in
      expected += 1
      #expect(record.event.pointee.seq == expected)
      return true
    }
    #expect(Double(outcome.read) > 5000 * part * 0.8)
    #expect(outcome.read < 5000)
    let damage = try #require(outcome.damage)
    #expect(damage.code == .damaged)
    #expect(damage.message.hasPrefix("row \(outcome.read) is the last that can be read"))
    #expect(reader.loadAll().records.count == outcome.read)
    let summary = reader.summary()
    #expect(summary.events == outcome.read && summary.outcome.damage != nil)
    #expect(throws: RecordingError.self) { try RecordingWriter(appendingTo: cut) }
  }

  /// So many that the tree gets a third level, whose first branch lies behind the leaves.
  @Test(arguments: [0.9, 0.7, 0.5, 0.2])
  func `of a large file that is cut the good records are read, too`(part: Double) throws {
    let count = 14_000
    try record(UInt64(count))
    let whole = try bytes(of: path)
    let cut = try folder.write(
      Array(whole.prefix(Int(Double(whole.count) * part))), to: "cut.kemon")
    let reader = try RecordingReader(opening: cut)
    let (records, outcome) = reader.loadAll()
    #expect(outcome.damage != nil && outcome.read == records.count)
    #expect(Double(records.count) > Double(count) * part * 0.9)
    #expect(records.count < count)
    // Those of the page that is cut in the middle are named.
    let rows = (0..<records.count).map { Int64(records[$0].event.pointee.seq) }
    let named = outcome.skippedRows.map(\.row)
    #expect(outcome.skipped == named.count && named.count < 40)
    #expect((rows + named).sorted() == Array(1...Int64(rows.count + named.count)))
    #expect(rows == rows.sorted())
    #expect(reader.forEach { _ in true } == outcome)
  }

  @Test func `records that are larger than a page are found in a file that is cut`() throws {
    let count = 3000
    let writer = try RecordingWriter(creating: path)
    for number in 1...count {
      let name = String(repeating: "p", count: number % 3 == 0 ? 10_000 : 10) + "\(number)"
      try SampleRecords.build(UInt64(number), path: name) { try writer.append($0) }
    }
    try writer.close()
    let whole = try bytes(of: path)
    let cut = try folder.write(Array(whole.prefix(whole.count / 2)), to: "cut.kemon")
    let rows = try #require(LooseRows(of: cut))
    var found = 0
    rows.forEach(after: 0) { id, bytes in
      found += 1
      #expect(id == found)
      let size = bytes.withUnsafeBytes { (try? RecordView(validating: $0))?.size }
      #expect(size == bytes.count)
      return true
    }
    #expect(found > count / 3 && found < count)
    #expect(try RecordingReader(opening: cut).loadAll().records.count == found)
  }

  @Test func `a file that ends in its header is damaged`() throws {
    try record(3)
    let cut = try folder.write(Array(try bytes(of: path).prefix(60)), to: "cut.kemon")
    #expect(opening(cut)?.code == .damaged)
  }

  @Test func `a file that ends in its first page opens as damaged or empty, without a crash`()
    throws
  {
    try record(3)
    let cut = try folder.write(Array(try bytes(of: path).prefix(1000)), to: "cut.kemon")
    do throws(RecordingError) {
      let outcome = try RecordingReader(opening: cut).forEach { _ in true }
      #expect(outcome.damage != nil)
    } catch {
      #expect(error.code == .damaged || error.code == .notARecording)
    }
  }

  @Test func `a recording with random bytes changed never crashes the reader`() throws {
    try record(200)
    let whole = try bytes(of: path)
    var random = SeededRandom(seed: 7)
    for round in 0..<200 {
      var broken = whole
      for _ in 0..<8 {
        broken[Int.random(in: 0..<broken.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      let file = try folder.write(broken, to: "broken-\(round).kemon")
      guard let reader = try? RecordingReader(opening: file) else { continue }
      _ = reader.summary()
      let (records, outcome) = reader.loadAll()
      #expect(records.count == outcome.read)
    }
  }

  @Test func `records with changed bytes are refused or read without a crash`() throws {
    var random = SeededRandom(seed: 99)
    var buffer = RecordBuffer()
    var good = 0
    for number in 1...UInt64(3000) {
      var bytes: [UInt8] = []
      SampleRecords.build(number, verdict: .deny) { bytes = Array($0.bytes) }
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if number % 8 == 0 { bytes.removeLast(Int.random(in: 0...3, using: &random)) }
      buffer.removeAll()
      let isRecord = bytes.withUnsafeBytes { bytes in
        (try? buffer.append(validating: bytes, DeclaredKindMap([:]))) != nil
      }
      guard isRecord else { continue }
      good += 1
      let record = buffer[0]
      #expect(!line(record).isEmpty)
      for index in 0..<record.voteCount { _ = record.text(record.vote(index).reason) }
    }
    #expect(good > 500 && good < 2900)
  }

  @Test func `a walk ends when the body has seen enough`() throws {
    try record(100)
    var count = 0
    let outcome = try RecordingReader(opening: path).forEach { _ in
      count += 1
      return count < 10
    }
    #expect(count == 10 && outcome.read == 10)
  }

  @Test func `one record is found by its number`() throws {
    try record(100)
    let reader = try RecordingReader(opening: path)
    #expect(try reader.record(seq: 42, SampleRecords.path) == "/tmp/42")
    #expect(try reader.record(seq: 101, SampleRecords.path) == nil)
  }

  @Test func `the summary counts kinds, families, verdicts and processes`() throws {
    try record(100)
    let summary = try RecordingReader(opening: path).summary()
    #expect(summary.events == 100)
    #expect(summary.kinds == ["file.open pre": 50, "file.open post": 50])
    #expect(summary.families == ["file": 100])
    #expect(summary.verdicts == ["abstain": 90, "deny": 10])
    #expect(summary.times == 1_500_000_000_000_000_001...1_500_000_000_000_000_100)
    #expect(summary.processCount == 3)
    #expect(summary.processes.map(\.pid) == [101, 100, 102])
    #expect(summary.processes.map(\.events) == [34, 33, 33])
    #expect(summary.processes.first?.name == "sample")
    #expect(summary.fileSize == (try bytes(of: path).count))
  }
}
