// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct GoldenImportTests {
  /// What came of an import, for people.
  func text(_ imported: Imported) -> String {
    let report = imported.report
    let lines =
      imported.events + ["", "\(report.inputs) read, \(report.used) used"]
      + report.skipped.sorted { $0.key < $1.key }.map { "\($0.value) skipped: \($0.key)" }
      + report.problems.map { "broken: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test(arguments: [
    ("sysdig-json", "sysdig.jsonl"), ("tracee", "tracee.jsonl"), ("santa", "santa.log"),
  ])
  func `a trace becomes the events of its golden file`(format: String, file: String) throws {
    let imported = try importing(format, Fixtures.text("Recordings/" + file))
    #expect(imported.isBalanced)
    #expect(try text(imported) == Fixtures.golden(file + ".txt", actual: text(imported)))
  }

  @Test func `a trace becomes a recording that can be read back`() throws {
    let folder = try ScratchFolder()
    let writer = try RecordingWriter(creating: folder.file("a.kemon"))
    let source = Fixtures.path("Recordings/sysdig.jsonl")
    let format = try #require(TraceFormat.named("sysdig-json"))
    let report = try format.importTrace(from: source, into: writer)
    try writer.close()
    let reader = try RecordingReader(opening: folder.file("a.kemon"))
    let (records, outcome) = reader.loadAll()
    #expect(outcome.isComplete && records.count == report.eventCount)
    #expect(
      (0..<records.count).map { records[$0].event.pointee.seq } == Array(1...UInt64(records.count)))
    #expect(try reader.meta() == ["source": source, "format": "sysdig-json"])
    let expected = try importing("sysdig-json", Fixtures.text("Recordings/sysdig.jsonl")).events
    #expect((0..<records.count).map { line(records[$0]) } == expected)
    #expect(!report.isComplete && report.problems.map(\.place) == ["line 15 at byte 4590"])
  }

  @Test func `of a compressed trace that is cut the good lines are kept and the cut is told`()
    throws
  {
    let data = gzip(Array(try Fixtures.text("Recordings/santa.log").utf8))
    let whole = try importing("santa", data)
    #expect(whole.report.isComplete && whole.events.count == 6)
    let cut = try importing("santa", Array(data.dropLast(500)))
    #expect(cut.events == Array(whole.events.prefix(cut.events.count)) && cut.events.count >= 3)
    #expect(cut.report.problems.last?.message.hasPrefix("the gzip data is cut") == true)
    #expect(cut.isBalanced && !cut.report.isComplete)
  }

  @Test func `every format says what it is and how it is made`() {
    #expect(TraceFormat.all.map(\.name) == ["sysdig-json", "tracee", "pcap", "santa"])
    for format in TraceFormat.all {
      #expect(!format.summary.isEmpty && !format.howToMake.isEmpty)
      #expect(TraceFormat.named(format.name)?.summary == format.summary)
    }
    #expect(TraceFormat.named("nothing") == nil)
  }

  @Test func `when the recording cannot be written the import ends with the reason`() throws {
    let folder = try ScratchFolder()
    var options = RecordingWriter.Options()
    options.batch = 1
    options.maximumBytes = 60_000
    let writer = try RecordingWriter(creating: folder.file("a.kemon"), options: options)
    let lines = try String(repeating: Fixtures.text("Recordings/santa.log"), count: 100)
    let source = try folder.write(Array(lines.utf8), to: "many.log")
    let format = try #require(TraceFormat.named("santa"))
    let error = #expect(throws: RecordingError.self) {
      try format.importTrace(from: source, into: writer)
    }
    #expect(error?.code == .full)
    let missing = #expect(throws: RecordingError.self) {
      try format.importTrace(from: folder.file("none"), into: writer)
    }
    #expect(missing?.code == .cannotOpen)
  }
}
