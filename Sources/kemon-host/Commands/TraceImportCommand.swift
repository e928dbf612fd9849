// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KemonEvents
import KemonPluginHost
import KemonRecording
import KemonText

struct TraceImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a recording from another tool's trace.",
    discussion: """
      Plain or gzip, from a file or from standard input (-). What is broken in the trace is named and \
      counted, what is good is kept; the exit code is then 2.

      """
        + TraceFormat.all.map { "\($0.name): \($0.summary)\n\($0.howToMake)" }
        .joined(separator: "\n\n"))

  @Option(
    help: ArgumentHelp(
      "What the trace is: \(TraceFormat.all.map(\.name).joined(separator: ", ")).",
      valueName: "format"),
    completion: .list(TraceFormat.all.map(\.name)))
  var from: String

  @Argument(help: "The trace; - reads standard input.", completion: .file())
  var trace: String

  @Option(
    name: [.customShort("o"), .customLong("to")],
    help: ArgumentHelp("The new recording.", valueName: "file"), completion: .file())
  var recording: String

  @Option(help: "How the report is written.")
  var report: ReportFormat = .text

  func run() throws {
    guard let format = TraceFormat.named(from) else {
      let names = TraceFormat.all.map(\.name).joined(separator: ", ")
      throw ValidationError("--from \(from): needed is one of \(names)")
    }
    let report = try importTrace(format)
    switch self.report {
    case .json: Console.data(Self.json(report, recording).text)
    case .text: Console.data(Self.text(report, recording))
    }
    for problem in report.problems { Console.warning("\(trace): \(problem)") }
    if report.problemCount > report.problems.count {
      Console.warning(
        "\(trace): \(report.problemCount - report.problems.count) more places are broken")
    }
    if !report.isComplete { throw ExitStatus.incompleteInput }
  }

  /// The recording appears under its name when it is whole: an import that is interrupted leaves no half of one.
  private func importTrace(_ format: TraceFormat) throws -> ImportReport {
    try RecordingFile.checkTarget(recording)
    guard access(recording, F_OK) != 0 else {
      Console.error("\(recording): exists, and a recording is never overwritten")
      throw ExitCode.failure
    }
    let partial = recording + ".partial"
    let remove: @Sendable () -> Void = {
      for file in [partial, partial + "-wal", partial + "-shm"] { unlink(file) }
    }
    remove()
    let signals = SignalWatch { signal in
      remove()
      kill(getpid(), signal)
    }
    defer { withExtendedLifetime(signals) {} }
    let writer: RecordingWriter
    do throws(RecordingError) {
      writer = try RecordingWriter(creating: partial, meta: ["host": HostVersion.text])
    } catch {
      Console.error(error.description)
      throw ExitCode.failure
    }
    do {
      var progress = Progress()
      defer { progress.end() }
      let report = try format.importTrace(from: trace, into: writer) { bytes in
        progress.show("\((bytes >> 10).grouped) KiB read")
      }
      try writer.close()
      guard rename(partial, recording) == 0 else {
        Console.error(
          "\(recording): cannot be made from \(partial): \(String(cString: strerror(errno)))")
        throw ExitCode.failure
      }
      return report
    } catch let error as RecordingError {
      remove()
      Console.error(error.description)
      throw RecordingStatus.of(error)
    }
  }

  private static func text(_ report: ImportReport, _ path: String) -> String {
    var lines = [
      "\(path): \(report.eventCount.grouped) events from \(report.inputs.grouped) inputs = "
        + "\(report.used.grouped) used + \(report.skippedCount.grouped) skipped"
    ]
    var events = Table("EVENTS", "KIND")
    for (name, count) in sorted(kinds(report)) { events.add(count.grouped, name) }
    lines += events.lines
    if !report.skipped.isEmpty {
      var skipped = Table("SKIPPED", "REASON")
      for (reason, count) in sorted(report.skipped) { skipped.add(count.grouped, reason) }
      lines += skipped.lines
    }
    return lines.joined(separator: "\n")
  }

  private static func json(_ report: ImportReport, _ path: String) -> JSONValue {
    .object([
      "recording": .string(path), "format": .string(report.format),
      "inputs": .integer(Int64(report.inputs)), "used": .integer(Int64(report.used)),
      "events": .integer(Int64(report.eventCount)),
      "kinds": .object(kinds(report).mapValues { .integer(Int64($0)) }),
      "skipped": .object(report.skipped.mapValues { .integer(Int64($0)) }),
      "problems": .array(report.problems.map { .string($0.description) }),
      "problem_count": .integer(Int64(report.problemCount)),
    ])
  }

  private static func kinds(_ report: ImportReport) -> [String: Int] {
    Dictionary(
      report.events.map { kind, count in
        (kind.info.map { "\($0.name) \($0.phase.name)" } ?? "kind \(kind.rawValue)", count)
      }, uniquingKeysWith: +)
  }

  private static func sorted(_ counts: [String: Int]) -> [(String, Int)] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
  }
}

/// Exit codes of recordings that cannot be used.
enum RecordingStatus {
  static func of(_ error: RecordingError) -> ExitCode {
    switch error.code {
    case .cannotOpen: ExitStatus.inputMissing
    case .notARecording: ExitStatus.badData
    case .wrongVersion, .damaged: ExitStatus.incompleteInput
    case .exists, .full, .cannotWrite: .failure
    }
  }
}
