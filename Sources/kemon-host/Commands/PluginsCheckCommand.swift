// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import KemonPluginCheck
import KemonText

struct PluginsCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find out whether a plugin keeps the rules, each in a process of its own.",
    discussion: """
      A check that the plugin crashes or hangs in fails, and the event at which it did is saved as a \
      recording. Exit code 3 says that a check failed. `--list` shows all checks.
      """)

  @Argument(
    help: "The plugin's file, or the folder of a program.", completion: .file(extensions: ["so"]))
  var file: String?

  @Flag(help: "List the checks and run none.")
  var list = false

  @Option(help: ArgumentHelp("Run these checks only, as in contract.*", valueName: "pattern"))
  var include: [String] = []

  @Option(help: ArgumentHelp("Leave these checks out.", valueName: "pattern"))
  var exclude: [String] = []

  @Flag(help: "Report only what failed.")
  var onlyFailed = false

  @Option(name: [.customShort("o"), .long], help: "How the report is written.")
  var output: CheckFormat = .text

  @Option(
    name: .customLong("config"),
    help: ArgumentHelp("The plugin's configuration: a JSON file.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var configurationFile: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set one value of the configuration.", valueName: "path=value"))
  var settings: [String] = []

  @Option(
    name: .customLong("reproduce"),
    help: ArgumentHelp("What random events follow from; a report names it.", valueName: "seed"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Seconds that a check may take.", valueName: "s"))
  var timeout = 30

  @Option(help: ArgumentHelp("Nanoseconds that a handler may take for an event.", valueName: "ns"))
  var budget: UInt64 = 100_000

  @Option(
    name: .customLong("save"),
    help: ArgumentHelp("Where events are saved that break the plugin.", valueName: "dir"),
    completion: .directory)
  var folder = "."

  func validate() throws {
    guard list != (file != nil) else {
      throw ValidationError("needed is a plugin's file, or --list")
    }
    guard (1...Self.longestTimeout).contains(timeout) else {
      throw ValidationError("--timeout needs 1 to \(Self.longestTimeout) seconds")
    }
  }

  /// A day.
  private static let longestTimeout = 86_400

  func run() throws {
    let ids = try selected()
    guard let file else {
      let checks = CheckTable.all.filter { ids.contains($0.id) }
      return Console.data(CheckReport.table(of: checks, output))
    }
    // The dynamic linker takes a name without a folder for a library of the system.
    guard let path = realpath(file, nil) else {
      Console.error("\(file): \(String(cString: strerror(errno)))")
      throw ExitStatus.inputMissing
    }
    defer { free(path) }
    var options = CheckRun.Options(file: String(cString: path))
    options.configuration = try OnePluginConfiguration.read(file: configurationFile, settings)
    options.seed = seed
    options.limit = UInt64(timeout) * 1_000_000_000
    options.budget = budget
    options.folder = folder
    let run = CheckRun(options, verb: ["plugins", CheckOneCommand.name])
    var progress = Progress()
    let results = run.run(ids) { result in
      progress.show("\(result.check.id)")
    }
    progress.end()
    guard !results.isEmpty else {
      Console.error("\(file): none of these checks is for this sort of plugin; --list shows all")
      throw ExitStatus.inputMissing
    }
    let report = CheckReport(file: file, seed: seed, results: results, onlyFailed: onlyFailed)
    Console.data(report.text(as: output))
    if results.contains(where: { $0.outcome == .failed }) { throw ExitStatus.expectationFailed }
  }

  /// The checks that the patterns name.
  private func selected() throws -> Set<String> {
    for pattern in include + exclude
    where !CheckTable.all.contains(where: { Self.matches($0.id, pattern) }) {
      throw ValidationError("\"\(pattern)\": there is no such check; --list shows all")
    }
    let ids = CheckTable.all.map(\.id).filter { id in
      (include.isEmpty || include.contains { Self.matches(id, $0) })
        && !exclude.contains { Self.matches(id, $0) }
    }
    return Set(ids)
  }

  private static func matches(_ id: String, _ pattern: String) -> Bool {
    fnmatch(pattern, id, 0) == 0
  }
}

/// How a report on checks is written.
enum CheckFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json, junit
}

/// One check, in the process that `plugins check` starts for it.
struct CheckOneCommand: ParsableCommand {
  static let name = "check-one"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Run one check for plugins check.", shouldDisplay: false)

  @Argument var file: String
  @Option var check: String
  @Option var configuration: String
  @Option var seed: UInt64
  @Option var limit: UInt64
  @Option var budget: UInt64

  func run() throws {
    guard
      CheckChild.run(
        check: check, file: file, configuration: configuration, seed: seed, limit: limit,
        budget: budget)
    else { throw ValidationError("this verb belongs to plugins check") }
    // Whatever the plugin left to be done at the end of the process is not part of the check.
    _exit(0)
  }
}
