// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonEvents

/// What is in a recording, in numbers.
public struct RecordingSummary: Sendable, Equatable {
  /// A process and how many events it caused.
  public struct Process: Sendable, Equatable {
    /// The process id.
    public let pid: Int32
    /// The short name in its first event, empty when unknown.
    public let name: String
    /// How many events.
    public let events: Int
  }

  /// Bytes of the file.
  public var fileSize = 0
  /// Whether the writer closed the recording; else the end may be missing.
  public var wasClosed = false
  /// Facts about the recording as a whole, by key.
  public var meta: [String: String] = [:]
  /// How many events.
  public var events = 0
  /// Events by name and phase, as in `file.open pre`.
  public var kinds: [String: Int] = [:]
  /// Events by family.
  public var families: [String: Int] = [:]
  /// Events by verdict.
  public var verdicts: [String: Int] = [:]
  /// The earliest and the latest time, nanoseconds since 1970; nil without events.
  public var times: ClosedRange<UInt64>?
  /// The processes with the most events, at most 20, most events first.
  public var processes: [Process] = []
  /// How many processes there are.
  public var processCount = 0
  /// How the walk over the records ended: rows that were skipped, and damage.
  public var outcome = RecordingReader.Outcome()

  /// Facts of the recording of a damaged file may be missing: why, if so.
  public var metaError: RecordingError?
}

extension RecordingReader {
  /// Counts what is in the recording.
  ///
  /// Walks over all records, so that the numbers are those of what can be read.
  public func summary() -> RecordingSummary {
    var summary = RecordingSummary()
    summary.fileSize = FileSize.of(path)
    summary.wasClosed = wasClosed
    do {
      summary.meta = try meta()
    } catch {
      summary.metaError = error
    }
    var kinds: [EventKind: Int] = [:]
    var verdicts: [VerdictAction: Int] = [:]
    var processes: [Int32: (name: String, events: Int)] = [:]
    var first = UInt64.max
    var last = UInt64.min
    summary.outcome = forEach { record in
      kinds[record.kind, default: 0] += 1
      verdicts[record.verdict, default: 0] += 1
      let event = record.event.pointee
      if processes[event.subject.pid] == nil {
        processes[event.subject.pid] = (record.text(event.subject.comm), 0)
      }
      processes[event.subject.pid]?.events += 1
      first = min(first, event.time_ns)
      last = max(last, event.time_ns)
      return true
    }
    summary.events = summary.outcome.read
    if first <= last { summary.times = first...last }
    for (kind, count) in kinds {
      let info = kind.info
      let name = info.map { "\($0.name) \($0.phase.name)" } ?? "kind \(kind.rawValue)"
      summary.kinds[name, default: 0] += count
      summary.families[info?.family.name ?? "unknown", default: 0] += count
    }
    for (verdict, count) in verdicts { summary.verdicts[verdict.name] = count }
    summary.processCount = processes.count
    summary.processes = processes.map {
      RecordingSummary.Process(pid: $0.key, name: $0.value.name, events: $0.value.events)
    }
    .sorted { ($0.events, $1.pid) > ($1.events, $0.pid) }
    .prefix(20).map { $0 }
    return summary
  }

  /// Facts about the recording as a whole, by key.
  ///
  /// - Throws: ``RecordingError`` with code `damaged`.
  public func meta() throws(RecordingError) -> [String: String] {
    try labels("SELECT key, value FROM meta") { (row: Row) -> String in row[0] }
  }

  /// The names of the plugins by the ids that votes carry.
  ///
  /// - Throws: ``RecordingError`` with code `damaged`.
  public func pluginNames() throws(RecordingError) -> [UInt32: String] {
    try names(of: "plugin")
  }

  /// The names of the handlers by the ids that votes carry.
  ///
  /// - Throws: ``RecordingError`` with code `damaged`.
  public func handlerNames() throws(RecordingError) -> [UInt32: String] {
    try names(of: "handler")
  }

  private func names(of what: String) throws(RecordingError) -> [UInt32: String] {
    try labels("SELECT id, name FROM name WHERE what = '\(what)'") { (row: Row) -> UInt32 in
      UInt32(truncatingIfNeeded: row[0] as Int64)
    }
  }

  private func labels<Key: Hashable>(
    _ sql: String, key: (Row) -> Key
  ) throws(RecordingError) -> [Key: String] {
    do {
      return try queue.read { database in
        var labels: [Key: String] = [:]
        let rows = try Row.fetchCursor(database, sql: sql)
        while let row = try rows.next() { labels[key(row)] = row[1] }
        return labels
      }
    } catch {
      throw RecordingError(.damaged, path, (error as? DatabaseError)?.message ?? "\(error)")
    }
  }
}
