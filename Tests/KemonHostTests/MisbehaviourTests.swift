// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// A plugin that does everything wrong, in the host's own process: what becomes of the host, and who is named.
@Suite(
  .serialized, .enabled(if: Command("c++") != nil, "needs a C++ compiler"),
  .enabled(if: !Sanitizer.isThere, "sanitizers end a process in their own way"))
struct MisbehaviourTests {
  /// What the plugin is told to do, and what the page calls it.
  private static let ways = [
    ("crash", "crash"), ("abort", "abort"), ("throw", "throw"), ("exit", "exit"),
    ("_exit", "_exit"), ("hang", "hang"), ("slow", "slow"), ("fault", "fault status"),
    ("answer", "answer that is not allowed"), ("leak", "leak"), ("wrong-thread", "wrong thread"),
    ("overflow", "stack overflow"), ("write-event", "write to a const event"),
    ("close-fds", "closing the host's fds"),
  ]

  private struct Trial {
    let result: Command.Result
    let report: String
    /// What the next run has to say.
    let next: String
  }

  private static func host() throws -> Host {
    let host = try Host(plugins: ["event-log"])
    let source = Checkout.fixture("Plugins/misbehave.cc").path
    let target = host.scratch.file("plugins/misbehave.so")
    let result = try #require(Command("c++"))
      .run([
        "-std=c++17", "-O1", "-fPIC", "-shared", "-Wno-infinite-recursion",
        "-I\(Checkout.sdk.appending(path: "include").path)", source, "-o", target,
      ])
    try #require(result.status == 0, "\(result.errors)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target)
    return host
  }

  private static func run(_ host: Host, _ how: String, budget: Int) throws -> Trial {
    let state = host.scratch.file("state-\(how)")
    let run = { (how: String) in
      try host.run(
        "run", "--session", "mixed-day", "--plugins", host.plugins, "--state-dir", state, "-o",
        "jsonl",
        "--set", "misbehave.how=\(how)", "--set", "misbehave.budget=\(budget)",
        environment: ["SWIFT_BACKTRACE": "enable=no"])
    }
    let result = try run(how)
    let files = try FileManager.default.contentsOfDirectory(atPath: state)
    let report = try files.first { $0.hasPrefix("crash-") }
      .map { try String(contentsOfFile: "\(state)/\($0)", encoding: .utf8) }
    return Trial(result: result, report: report ?? "", next: try run("nothing").errors)
  }

  /// What happened, in the words of the page.
  private static func outcome(_ trial: Trial) -> String {
    let text = trial.result.errors
    let place = "in plugin misbehave, handler act, event "
    let signals: [Int32: String] = [
      SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGILL: "SIGILL",
    ]
    if let signal = signals[trial.result.status - 128] {
      let isNamed =
        text.contains("kemon-host: crash: \(signal) \(place)") && trial.report.contains(place)
        && trial.report.contains("next seq ")
      return "ends the host by \(signal)"
        + (isNamed ? "; plugin, handler and event are named, in the crash report, too" : "")
    }
    if text.contains("kemon-host: crash: exit \(place)") {
      return "ends the host by status \(trial.result.status); plugin, handler and event are named, "
        + "in the crash report, too"
    }
    if trial.next.contains("did not come to its end; it was in plugin misbehave, handler act") {
      return "ends the host without a word; the next run names the handler"
    }
    guard text.contains("events ") else {
      return
        "the host goes on, but what it prints is lost: it ends by status \(trial.result.status)"
    }
    var words = ["the host goes on"]
    if trial.result.output.contains("\"pid\":4242,") {
      words.append("others see what it has written")
    }
    if text.contains(" timeouts, ") {
      let isLate = !text.contains(": 0 timeouts, ")
      words.append(
        isLate ? "answers in time by the declared outcome" : "the declared outcome holds")
    }
    if text.contains(" late answers") && !text.contains(" 0 late answers") {
      words.append("late answers are counted and not used")
    }
    if text.contains("its votes are only recorded for") {
      words.append("quarantines the handler after three")
    }
    if text.contains("on a thread that is not [control]") {
      words.append("refuses with KEMON_E_WRONGTHREAD, logs and counts it")
    }
    if text.contains(" MiB more than when the plugins had started") {
      words.append("the summary says how much memory has grown, not whose it is")
    }
    if text.contains("it is neither stopped nor destroyed") {
      words.append("leaves the plugin as it is at the end")
    }
    return words.count == 1 ? "the host goes on and does not notice" : words.joined(separator: "; ")
  }

  @Test func `every way is survived or told, as the page says`() throws {
    let host = try Self.host()
    var outcomes: [(String, String)] = []
    for (how, name) in Self.ways {
      let budget = how == "hang" || how == "slow" ? 100 : 0
      let trial = try Self.run(host, how, budget: budget)
      outcomes.append((name, Self.outcome(trial)))
    }
    let copied = try Self.run(host, "write-event", budget: 10_000)
    outcomes.append(("write to a const event, with a budget", Self.outcome(copied)))
    var matrix = try FaultMatrix()
    let wrong = try matrix.set(.inProcess, outcomes)
    #expect(wrong.isEmpty, "docs/plugins/faults.md should say:\n\(wrong.joined(separator: "\n"))")
  }
}
