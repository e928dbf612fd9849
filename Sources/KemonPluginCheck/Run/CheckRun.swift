// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonRecording

/// Runs checks on a plugin's file, each in a process of its own.
public struct CheckRun: Sendable {
  /// What is checked and how.
  public struct Options: Sendable {
    /// The plugin's file, or the folder of a program.
    public var file: String
    /// Its configuration as JSON, an object.
    public var configuration = "{}"
    /// What random events follow from.
    public var seed: UInt64 = 1
    /// Nanoseconds that a check may take.
    public var limit: UInt64 = 30_000_000_000
    /// Nanoseconds of processor time that a handler may take for an event, half of the times.
    public var budget: UInt64 = 100_000
    /// The folder where events are saved at which the plugin crashed or hung.
    public var folder = "."

    /// The defaults for a file.
    public init(file: String) { self.file = file }
  }

  /// How the program is called to run one check: the arguments before those of ``arguments(for:)``.
  private let verb: [String]
  private let options: Options

  /// - Parameter verb: words after which the program runs ``CheckChild``.
  public init(_ options: Options, verb: [String]) {
    self.options = options
    self.verb = verb
  }

  /// Runs checks in the order of the table; those for programs with a program, the others with a library.
  ///
  /// - Parameters:
  ///   - ids: which of them; those that they need run, too.
  ///   - report: is told each result when it is there.
  @discardableResult
  public func run(_ ids: Set<String>, report: (CheckResult) -> Void) -> [CheckResult] {
    let wanted = CheckTable.closure(of: ids)
    var results: [CheckResult] = []
    var passed: Set<String> = []
    let isProgram = Subject.isProgram(options.file)
    for check in CheckTable.all
    where wanted.contains(check.id) && (check.group == .program) == isProgram {
      let result: CheckResult
      if let missing = check.needs.first(where: { !passed.contains($0) }) {
        result = CheckResult(
          check: check, outcome: .skipped, message: "\(missing) has not passed", milliseconds: 0,
          recording: nil)
      } else {
        result = run(check)
      }
      if result.outcome == .passed { passed.insert(check.id) }
      results.append(result)
      report(result)
    }
    return results
  }

  private func run(_ check: Check) -> CheckResult {
    guard let board = CheckBoard() else {
      return CheckResult(
        check: check, outcome: .failed, message: "no memory for the check", milliseconds: 0,
        recording: nil)
    }
    let start = ContinuousClock.now
    let (end, printed) = CheckProcess.run(arguments(for: check), board: board, limit: options.limit)
    let time = ContinuousClock.now - start
    let milliseconds = Int(time / .milliseconds(1))
    let outcome: CheckResult.Outcome? =
      switch (end, board.state) {
      case (.exited(0), .passed): .passed
      case (.exited(0), .failed): .failed
      case (.exited(0), .skipped): .skipped
      default: nil
      }
    if let outcome {
      return CheckResult(
        check: check, outcome: outcome, message: board.message, milliseconds: milliseconds,
        recording: nil)
    }
    let recording = save(board.crumb, check)
    return CheckResult(
      check: check, outcome: .failed, message: Self.describe(end, board, printed, recording),
      milliseconds: milliseconds, recording: recording)
  }

  private func arguments(for check: Check) -> [String] {
    verb + [
      options.file, "--check", check.id, "--configuration", options.configuration,
      "--seed", String(options.seed), "--limit", String(options.limit),
      "--budget", String(options.budget),
    ]
  }

  // MARK: Ends that no check wanted

  private static func describe(
    _ end: CheckProcess.End, _ board: CheckBoard, _ printed: String, _ recording: String?
  ) -> String {
    var text =
      switch end {
      case .timedOut: "does not return"
      case .killed(let signal): "crashes with \(Self.name(ofSignal: signal))"
      case .exited(let code): "ends the process with exit code \(code)"
      case .notStarted(let error): "no process for the check: \(String(cString: strerror(error)))"
      }
    if let crumb = board.crumb {
      text += " in handler \"\(crumb.handler)\" of \(Self.kind(of: crumb))"
      if let recording { text += "; the event is saved in \(recording)" }
    }
    if !printed.isEmpty { text += "; it said: \(printed)" }
    return text
  }

  private static func name(ofSignal signal: Int32) -> String {
    switch signal {
    case SIGSEGV: "SIGSEGV"
    case SIGABRT: "SIGABRT"
    case SIGBUS: "SIGBUS"
    case SIGILL: "SIGILL"
    case SIGFPE: "SIGFPE"
    case SIGTRAP: "SIGTRAP"
    case SIGKILL: "SIGKILL"
    default: "signal \(signal)"
    }
  }

  private static func kind(of crumb: CheckBoard.Crumb) -> String {
    let number = crumb.record.withUnsafeBytes { $0.load(fromByteOffset: 6, as: UInt16.self) }
    guard let info = EventKind(rawValue: number).info else {
      return "kind 0x\(String(number, radix: 16))"
    }
    return "\(info.name) \(info.phase.name)"
  }

  /// Makes a recording of the one event; nil when it cannot be made, or the host would not take the event.
  private func save(_ crumb: CheckBoard.Crumb?, _ check: Check) -> String? {
    guard let crumb else { return nil }
    let name = options.file.split(separator: "/").last.map(String.init) ?? "plugin"
    let path = "\(options.folder)/\(name)-\(check.id).kemon"
    unlink(path)
    return crumb.record.withUnsafeBytes { bytes in
      guard
        let view = try? RecordView(
          validating: UnsafeRawBufferPointer(rebasing: bytes[..<crumb.size])),
        let writer = try? RecordingWriter(
          creating: path, meta: ["source": "plugins check \(check.id)", "handler": crumb.handler])
      else { return nil }
      do throws(RecordingError) {
        try writer.append(view)
        try writer.close()
        return path
      } catch {
        return nil
      }
    }
  }
}
