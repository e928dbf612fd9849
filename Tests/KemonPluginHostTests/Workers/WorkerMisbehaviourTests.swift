// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// A plugin that does everything wrong, in a worker: the host lives, answers in time, and says what happened.
@Suite(
  .serialized, .enabled(if: !Sanitizer.isThere, "sanitizers end a process in their own way"))
struct WorkerMisbehaviourTests {
  /// What the plugin is told to do, and what the page calls it.
  private static let ways = [
    ("crash", "crash"), ("abort", "abort"), ("throw", "throw"), ("exit", "exit"),
    ("_exit", "_exit"), ("hang", "hang"), ("slow", "slow"), ("fault", "fault status"),
    ("answer", "answer that is not allowed"), ("leak", "leak"), ("wrong-thread", "wrong thread"),
    ("overflow", "stack overflow"), ("write-event", "write to a const event"),
    ("close-fds", "closing the host's fds"), ("memory", "memory bomb"), ("fork", "fork bomb"),
    ("threads", "thread bomb"),
  ]

  /// What a busy machine adds to the budget, at most.
  private static let patience: UInt64 = 2_000_000_000

  private static func limits(_ how: String) -> WorkerLimits {
    var limits = WorkerLimits()
    limits.memory = 128 << 20
    // Those that come back have their time, however busy the machine is.
    limits.budget = how == "hang" || how == "slow" ? 50_000_000 : 5_000_000_000
    limits.grace = 500_000_000
    limits.strikes.limit = 100
    return limits
  }

  /// What one way comes to, in the words of the page.
  private static func outcome(_ how: String) throws -> String {
    let test = try TestHost(limits: limits(how))
    try test.folder.copy(Fixtures.build("wild", ["-lstdc++"]), to: "wild.so")
    let settings = JSONValue.object(["wild": .object(["how": .string(how)])])
    #expect(test.load(settings, isolate: .all).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    let first = try #require(test.host.plugins[0].worker?.pid)
    var builder = RecordBuilder()
    var slowest: UInt64 = 0
    var verdict = Verdict()
    // A leak takes some calls until it is felt; the others do at once what they do.
    for _ in 0..<(how == "leak" ? 300 : 1) {
      builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
      let path = builder.text("/tmp/x")
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
      let start = EventClock.monotonic()
      verdict = test.dispatcher.dispatch(&builder)
      slowest = max(slowest, EventClock.monotonic() - start)
    }
    #expect(slowest < limits(how).budget + patience, "\(how): a verdict in time")
    #expect(builder.header.pointee.subject.pid == 0, "\(how): the event is the host's")
    let report = settle(test, first, isEnding: how == "close-fds" || how == "hang")
    let statistics = try #require(test.dispatcher.handlerStatistics().first)
    test.host.stop()
    var words = [verdict.isDenied ? "denied, as declared" : "answered as ever"]
    if statistics.timeouts > 0 { words.append("in time") }
    if report.deaths > 0 {
      let cause = cause(report.lastDeath)
      // Both sides find out at the same time.
      let isFirst = how == "close-fds" && [closed, "ended with status 1"].contains(cause)
      words.append("the worker " + (isFirst ? closed + ", or ends by itself" : cause))
      if report.lastDeath.contains("in handler \"act\" at file.open (pre)") {
        words.append("handler and event are named")
      }
      words.append("another takes its place")
    }
    if test.host.plugins[0].misbehaviour > 0 { words.append("refused and counted") }
    if how == "write-event" { words.append("it writes to a copy of its own") }
    if ["leak", "memory", "threads"].contains(how), report.deaths == 0 {
      words.append("it gets no more than its limit")
    }
    if how == "fork", report.deaths == 0 { words.append("no process is made") }
    return words.joined(separator: "; ")
  }

  /// Waits until a process has taken the place of one that ended, or a while when none has.
  private static func settle(_ test: TestHost, _ first: Int32, isEnding: Bool) -> WorkerReport {
    var report = WorkerReport()
    for turn in 0..<2500 {
      report = test.host.plugins[0].worker ?? report
      if report.deaths > 0, report.pid != first, report.pid > 0 { break }
      if !isEnding, report.deaths == 0, report.pid == first, turn > 150 { break }
      usleep(4000)
    }
    return report
  }

  private static let closed = "is ended, as it has closed its descriptors"

  /// How it ended, without what differs from machine to machine.
  private static func cause(_ story: String) -> String {
    if let end = story.firstIndex(of: "(") {
      let signal = story[..<end]
      if signal.hasPrefix("was ended by signal") { return signal.dropLast().description }
    }
    if story.hasPrefix("ended with status") {
      return story.split(separator: " ").prefix(4).joined(separator: " ")
    }
    if story.hasPrefix("did not answer") { return "is ended, as it does not come back" }
    return "is ended, as it \(story.split(separator: " in handler").first ?? "")"
  }

  @Test func `every way is survived, as the page says`() throws {
    let outcomes = try Self.ways.map { (how, name) in (name, try Self.outcome(how)) }
    var matrix = try FaultMatrix()
    let wrong = try matrix.set(.worker, outcomes)
    #expect(wrong.isEmpty, "docs/plugins/faults.md should say:\n\(wrong.joined(separator: "\n"))")
  }
}
