// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonRecording

/// The outcome of an import, with its events as lines of text.
struct Imported {
  let report: ImportReport
  let events: [String]

  /// Nothing of the input may disappear, and every event is counted.
  var isBalanced: Bool {
    report.inputs == report.used + report.skippedCount && report.eventCount == events.count
  }
}

/// Imports bytes and checks each record that comes out.
func importing(_ format: String, _ bytes: [UInt8]) throws -> Imported {
  try importing(format, ImportInput(MemorySource(bytes)))
}

func importing(_ format: String, _ text: String) throws -> Imported {
  try importing(format, Array(text.utf8))
}

func importing(_ format: String, _ input: ImportInput) throws -> Imported {
  var events: [String] = []
  let report = try #require(TraceFormat.named(format)).run(input) { record in
    do throws(RecordError) {
      _ = try RecordView(validating: record.bytes)
    } catch {
      Issue.record("an importer wrote a bad record: \(error)")
    }
    events.append(line(record))
  }
  return Imported(report: report, events: events)
}

/// A record as a line: kind, phase, process, result, and the fields that are not empty.
func line(_ record: RecordView) -> String {
  guard let info = record.kind.info else { return "kind \(record.kind.rawValue)" }
  let event = record.event.pointee
  var words = ["\(info.name) \(info.phase.name)", "pid=\(event.subject.pid)"]
  if event.verdict != 0 { words.append("verdict=\(record.verdict.name)") }
  if event.result != 0 { words.append("result=\(ErrnoName.describe(linux: event.result))") }
  for field in info.fields {
    switch field.type {
    case .str:
      let text = record.text(record.string(field))
      if !text.isEmpty { words.append("\(field.name)=\(text)") }
    case .list:
      let list = record.list(record.string(field))
      if !list.isEmpty { words.append("\(field.name)=\(list)") }
    case .bytes:
      let count = record.bytes(record.string(field)).count
      if count > 0 { words.append("\(field.name)=\(count) bytes") }
    default:
      if let value = record.integer(field), value != 0 { words.append("\(field.name)=\(value)") }
    }
  }
  return words.joined(separator: " ")
}
