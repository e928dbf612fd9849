// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonBus
import KemonPluginHost
import KemonRecording
import KemonText

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Play a recording many times and measure plugins.",
    discussion: """
      Prints events per second, the latency of an event with all its handlers, what each plugin did, \
      whether every event is accounted for, and a digest of all verdicts. The digest is the same in \
      every round and on every machine; when it differs between rounds the exit code is 3.
      """)

  @Argument(help: "The recording.", completion: .file())
  var recording: String

  @OptionGroup var plugins: PluginOptions
  @OptionGroup var flow: FlowOptions

  @Option(help: ArgumentHelp("Rounds that are measured.", valueName: "n"))
  var rounds = 5

  @Option(help: ArgumentHelp("Rounds that are played before.", valueName: "n"))
  var warmup = 1

  @Option(name: [.customShort("o"), .long], help: "How the report is written.")
  var output: ReportFormat = .text

  func validate() throws {
    guard rounds > 0, warmup >= 0 else {
      throw ValidationError("--rounds needs 1 or more, --warmup 0 or more")
    }
  }

  func run() throws {
    let (records, outcome) = try RecordingFile.open(recording).loadAll()
    guard records.count > 0 else {
      Console.error("\(recording): holds no event that could be played")
      throw ExitStatus.badData
    }
    let pipeline = try Pipeline(plugins, flow, nil, mode: .bench, overflow: .block)
    try pipeline.start(plugins)
    var runner = BenchRunner(records, pipeline)
    var progress = Progress()
    for round in 0..<(warmup + rounds) {
      progress.show("round \(round + 1) of \(warmup + rounds)")
      runner.playRound(isWarmUp: round < warmup)
    }
    progress.end()
    let infos = pipeline.plugins.plugins
    let flowReport = pipeline.stop()
    let result = BenchReport(
      recording: recording, events: records.count, rounds: runner.rounds,
      histogram: runner.histogram, flow: flowReport, plugins: infos)
    switch output {
    case .json: Console.data(result.json.text)
    case .text:
      result.printText()
      if !flow.quiet { Summary.print([], flowReport) }
    }
    if result.digest == nil { throw ExitStatus.expectationFailed }
    if let status = flowReport.status(flow) { throw status }
    try RecordingFile.report(outcome, of: recording)
  }
}
