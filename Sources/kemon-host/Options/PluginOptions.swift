// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import KemonBus
public import KemonPluginHost

/// Which plugins take part and how; common to all verbs that load plugins.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugins"),
    help: ArgumentHelp(
      "A folder with plugins (*.so), or one plugin; may be given several times.", valueName: "dir"),
    completion: .directory)
  var paths: [String] = []

  @OptionGroup var trust: TrustOptions

  @Option(
    help: ArgumentHelp("Fail (exit code 5) unless this plugin is loaded.", valueName: "name"))
  var require: [String] = []

  @Option(help: ArgumentHelp("Leave this plugin out.", valueName: "name"))
  var disable: [String] = []

  @Option(help: ArgumentHelp("Leave all but the named plugins out.", valueName: "name"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp(
      "Plugins that get a process of their own: none, all, or their names, separated by commas.",
      valueName: "names"))
  var isolate = IsolationPolicy.none

  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "A JSON file: {\"plugins\": {\"NAME\": {…}}}.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var configurationFile: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Set one value of a plugin's configuration, as in event-log.dialect=2019.",
      valueName: "plugin.path=value"))
  var settings: [String] = []

  @Option(
    name: .customLong("budget"),
    help: ArgumentHelp(
      """
      How long calls of handlers may take: 50ms for those that declare nothing, path-guard=20ms for a plugin, \
      path-guard/check=none for a handler (in a process of its own: a second); may be given several times.
      """, valueName: "time"))
  var budgetTexts: [String] = []

  @Option(
    name: .customLong("state-dir"),
    help: ArgumentHelp(
      "A folder in which the run leaves what a crash was in, for people and for the next run.",
      valueName: "dir"), completion: .directory)
  var stateFolder: String?

  /// How long handlers may take.
  func budgets() throws(CallBudgets.TextError) -> CallBudgets {
    var budgets = CallBudgets()
    for text in budgetTexts { try budgets.add(text) }
    return budgets
  }

  func validate() throws {
    do {
      _ = try budgets()
    } catch {
      throw ValidationError("--budget: \(error)")
    }
  }

  @Option(
    name: .customLong("data"),
    help: ArgumentHelp(
      "Where plugins that are granted fs.data get a folder of their own, by their names.",
      valueName: "dir"), completion: .directory)
  var dataDirectory: String?

  @Option(
    help: """
      enforce: plugins decide (default). monitor: their votes are only recorded (default of record).
      """)
  var mode: EnforcementMode?
}

/// How event-log writes; a short way to set its configuration.
struct EventOutputOptions: ParsableArguments {
  @Option(help: "The log dialect of event-log: the 2018 or the 2019 original's.")
  var dialect: Dialect?

  @Option(
    name: [.customShort("o"), .long], help: "How event-log writes events to standard output.")
  var output: EventOutput?
}

/// How a run handles what it cannot keep up with.
struct FlowOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Events that the ring holds.", valueName: "slots"))
  var ring = 8192

  @Option(
    help: """
      When an observer or the recorder is a whole ring behind: drop events and count them (default \
      of run and record), hold the producers back (block, default of replay and bench), or end the \
      run with exit code 4 (exit).
      """)
  var onOverflow: OverflowPolicy?

  @Option(
    help: ArgumentHelp(
      "Lose this share of the events of every observer and of the recorder, to see it counted.",
      valueName: "N%"))
  var simulateDrops = SimulatedLoss.none

  @Flag(help: "Exit with 4 when an observer or the recorder lost events.")
  var failOnLoss = false

  @Flag(name: .shortAndLong, help: "Print no summary.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Show what plugins log at level debug, too.")
  var verbose = false

  func validate() throws {
    guard (4...(1 << 22)).contains(ring) else {
      throw ValidationError("--ring \(ring) is not between 4 and \(1 << 22)")
    }
  }
}

extension OverflowPolicy: ExpressibleByArgument {}

extension IsolationPolicy: ExpressibleByArgument {
  /// Reads `none`, `all`, or names as in `kext-guard,dns-watch`.
  public init?(argument: String) {
    switch argument {
    case "none": self = .none
    case "all": self = .all
    default:
      let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard !names.contains("") else { return nil }
      self = .named(Set(names))
    }
  }

  /// How help shows the default.
  public var defaultValueDescription: String { "none" }
}

extension SimulatedLoss: ExpressibleByArgument {
  /// Reads a share as in `5%` or `5`.
  public init?(argument: String) {
    let digits = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
    guard let percent = Int(digits), (0...100).contains(percent) else { return nil }
    self.init(percent: percent)
  }

  /// The share, with its sign.
  public var defaultValueDescription: String { "\(percent)%" }
}

/// The dialects of the original's log.
enum Dialect: String, CaseIterable, ExpressibleByArgument {
  case first = "2018"
  case second = "2019"
}

/// The formats of event-log.
enum EventOutput: String, CaseIterable, ExpressibleByArgument {
  case text, jsonl, none
}

/// Whether plugins decide.
enum EnforcementMode: String, CaseIterable, ExpressibleByArgument {
  case enforce, monitor
}

/// How a report is written.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json
}
