// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonPluginHost
import KemonPluginTesting
import KemonRecording

/// The rules of plugins that are programs, tried in the process that they will run in.
enum ProgramChecks {
  static let all = [loader, life, handlers, events, wild, same, reload]

  static let loader = Check("program.loader", "every rule of the host's loader holds") {
    subject throws(Finding) in
    let inspections = PluginScanner.inspect(directories: [subject.file])
    let problems = inspections.flatMap(\.problems)
    guard problems.isEmpty else {
      throw .failed(problems.map { "\($0.message) [\($0.rule.id)]" }.joined(separator: "; "))
    }
    return nil
  }

  static let life = Check(
    "program.life", "it is created, started and stopped without a complaint",
    needs: ["program.loader"]
  ) { subject throws(Finding) in
    let host = try host(subject)
    host.plugins.stop()
    guard let complaint = host.complaints.first else { return nil }
    throw .failed(complaint)
  }

  static let handlers = Check(
    "program.handlers", "every process of it registers the same handlers", needs: ["program.life"]
  ) { subject throws(Finding) in
    let (first, second) = try twice(subject) { $0.plugins.plugins.first?.handlers ?? [] }
    guard !first.isEmpty else { throw .failed("registers no handler") }
    for (one, other) in zip(first, second) where one != other {
      throw .failed(
        "\"\(one.name)\" of \(one.pattern), and then \"\(other.name)\" of \(other.pattern)")
    }
    guard first.count == second.count else {
      throw .failed("\(first.count) handlers, and then \(second.count)")
    }
    return "\(first.count) handlers"
  }

  static let events = Check(
    "program.events", "everyday events are answered, in time and without a fault",
    needs: ["program.handlers"]
  ) { subject throws(Finding) in
    try offer(subject, 16, .plain)
  }

  static let wild = Check(
    "program.wild", "events are answered that are possible, but rare", needs: ["program.events"]
  ) { subject throws(Finding) in
    _ = try offer(subject, 16, .texts)
    return try offer(subject, 32, .wild)
  }

  static let same = Check(
    "program.repeat", "the same events get the same answers from a new process",
    needs: ["program.events"]
  ) { subject throws(Finding) in
    let (first, second) = try twice(subject) { host in
      answers(host, events(subject, host, 16, .plain))
    }
    for (one, other) in zip(first, second) where one != other {
      throw .failed("\(one), and then \(other)")
    }
    return "\(first.count) events"
  }

  static let reload = Check(
    "program.reload", "another process goes on with the state that it saved",
    needs: ["program.repeat"]
  ) { subject throws(Finding) in
    let host = try host(subject)
    defer { host.plugins.stop() }
    let records = events(subject, host, 4, .plain)
    _ = answers(host, records)
    let report: ReloadReport
    do throws(PluginProblem) {
      report = try host.plugins.reload(host.plugins.plugins[0].name, trialEvents: 0)
    } catch {
      throw .failed(error.message)
    }
    _ = answers(host, records)
    try complain(of: host)
    return report.stateBytes.map { "\($0) bytes" }
  }

  // MARK: Parts

  private static func host(_ subject: Subject) throws(Finding) -> LoneHost {
    let name = PluginScanner.inspect(directories: [subject.file]).first?.manifest?.name ?? ""
    do throws(LoneHost.Refusal) {
      return try LoneHost(
        subject.file, named: name, configuration: subject.configuration, mode: .run)
    } catch {
      throw .failed(error.text)
    }
  }

  /// What one process comes to, and then another.
  private static func twice<Value>(
    _ subject: Subject, _ body: (LoneHost) -> Value
  ) throws(Finding) -> (Value, Value) {
    func once() throws(Finding) -> Value {
      let host = try host(subject)
      defer { host.plugins.stop() }
      return body(host)
    }
    return (try once(), try once())
  }

  /// Some events for each kind of each handler, always the same for a seed.
  private static func events(
    _ subject: Subject, _ host: LoneHost, _ count: Int, _ style: EventGenerator.Style
  ) -> [OwnedRecord] {
    let handlers = host.plugins.plugins.flatMap(\.handlers)
    var generator = EventGenerator(
      seed: subject.seed, words: words(subject) + handlers.compactMap(\.filter).flatMap(quoted))
    return handlers.flatMap { handler in
      let filter = handler.filter.flatMap { try? EventFilter(parsing: $0) }
      return handler.kinds.flatMap { kind in
        generator.events(count, of: kind, style) { record in
          hasTime(record) && filter?.matches(record) ?? true
        }
      }
    }
  }

  /// Whether an answer to an event can come in time: in another process nobody is asked when it cannot.
  private static func hasTime(_ record: RecordView) -> Bool {
    let event = record.event.pointee
    return event.deadline_ns == 0 || (event.deadline_ns == .max && event.time_ns != .max)
  }

  /// Offers events, and looks whether every handler has answered.
  private static func offer(
    _ subject: Subject, _ count: Int, _ style: EventGenerator.Style
  ) throws(Finding) -> String? {
    let host = try host(subject)
    defer { host.plugins.stop() }
    let records = events(subject, host, count, style)
    for record in records {
      _ = answers(host, [record])
      guard
        let bad = host.dispatcher.handlerStatistics().first(where: { $0.faults + $0.timeouts > 0 })
      else { continue }
      let kind = record.view.kind.info?.name ?? "?"
      // What it writes arrives later than its answers.
      host.plugins.stop()
      let said = host.complaints.last.map { ": \($0)" } ?? ""
      throw .failed(
        "handler \"\(bad.name)\" of \(kind) \(record.view.phase.name) "
          + (bad.timeouts > 0 ? "does not answer in time" : "fails") + said)
    }
    host.plugins.stop()
    try complain(of: host)
    return "\(records.count) events"
  }

  private static func complain(of host: LoneHost) throws(Finding) {
    if let complaint = host.complaints.last { throw .failed(complaint) }
  }

  /// What was decided about each event, and by which votes.
  private static func answers(_ host: LoneHost, _ records: [OwnedRecord]) -> [String] {
    var lines: [String] = []
    host.play(RecordArena(copying: records.map(\.view))) { record, verdict in
      let votes = (0..<record.voteCount).map { index in
        let vote = record.vote(index)
        return "\(vote.action):\(vote.reason_code)"
      }
      lines.append(
        "\(record.kind.info?.name ?? "?") \(record.phase.name): \(verdict.action.name) "
          + "\(verdict.error) by votes \(votes.joined(separator: " "))")
    }
    return lines
  }

  /// Texts that the program has in quotes: what it compares with is likely to be among them.
  private static func words(_ subject: Subject) -> [String] {
    let file = PluginScanner.inspect(directories: [subject.file]).first?.file ?? ""
    let source = FileManager.default.contents(atPath: file) ?? Data()
    return quoted(String(decoding: source, as: UTF8.self)) + subject.config.texts
  }

  private static func quoted(_ text: String) -> [String] {
    text.split { $0 == "\"" || $0 == "'" || $0.isNewline }.map(String.init)
      .filter { (1...80).contains($0.utf8.count) }
  }
}
