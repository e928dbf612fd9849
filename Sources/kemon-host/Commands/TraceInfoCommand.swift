// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonRecording
import KemonText

struct TraceInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Print what is inside a recording.")

  @Argument(help: "The recording.", completion: .file())
  var recording: String

  @Option(name: [.customShort("o"), .long], help: "How it is written.")
  var output: ReportFormat = .text

  func run() throws {
    let reader = try RecordingFile.open(recording)
    let summary = reader.summary()
    switch output {
    case .text: Console.data(Self.text(summary, recording))
    case .json: Console.data(Self.json(summary, recording).text)
    }
    if let error = summary.metaError { Console.warning(error.description) }
    try RecordingFile.report(summary.outcome, of: recording)
  }

  private static func text(_ summary: RecordingSummary, _ path: String) -> String {
    var lines = ["\(path): \(summary.fileSize.grouped) bytes, \(summary.events.grouped) events"]
    for (key, value) in summary.meta.sorted(by: { $0.key < $1.key }) {
      lines.append("\(key): \(value)")
    }
    if !summary.wasClosed {
      lines.append("state: not closed: still written, or its recorder was killed")
    }
    if let times = summary.times {
      let seconds = Double(times.upperBound - times.lowerBound)
      lines.append(
        "time: \(RecordingFile.time(times.lowerBound)) + \(KemonHostText.nanoseconds(seconds))")
    }
    var kinds = Table("EVENTS", "KIND")
    for (name, count) in summary.kinds.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      kinds.add(count.grouped, name)
    }
    lines += kinds.lines
    var verdicts = Table("EVENTS", "VERDICT")
    for (name, count) in summary.verdicts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      verdicts.add(count.grouped, name)
    }
    lines += verdicts.lines
    var processes = Table("EVENTS", "PID", "PROCESS")
    for process in summary.processes.prefix(10) {
      processes.add(process.events.grouped, String(process.pid), process.name)
    }
    lines += processes.lines
    if summary.processCount > 10 { lines.append("… \(summary.processCount) processes in all") }
    return lines.joined(separator: "\n")
  }

  private static func json(_ summary: RecordingSummary, _ path: String) -> JSONValue {
    let counts = { (values: [String: Int]) in
      JSONValue.object(values.mapValues { .integer(Int64($0)) })
    }
    return .object([
      "recording": .string(path), "file_size": .integer(Int64(summary.fileSize)),
      "closed": .bool(summary.wasClosed),
      "events": .integer(Int64(summary.events)), "kinds": counts(summary.kinds),
      "families": counts(summary.families), "verdicts": counts(summary.verdicts),
      "meta": .object(summary.meta.mapValues { .string($0) }),
      "first_time_ns": summary.times.map { .integer(Int64($0.lowerBound)) } ?? .null,
      "last_time_ns": summary.times.map { .integer(Int64($0.upperBound)) } ?? .null,
      "process_count": .integer(Int64(summary.processCount)),
      "processes": .array(
        summary.processes.map { process in
          .object([
            "pid": .integer(Int64(process.pid)), "name": .string(process.name),
            "events": .integer(Int64(process.events)),
          ])
        }),
      "skipped_rows": .integer(Int64(summary.outcome.skipped)),
      "damage": summary.outcome.damage.map { .string($0.description) } ?? .null,
    ])
  }
}
