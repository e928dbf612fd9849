// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import KemonBus
import KemonPluginHost
public import KemonRecording

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Offer recorded events to plugins, as when they happened.",
    discussion: """
      Votes and verdicts of the recording are left out and made anew; nothing is blocked, but what \
      would have been is in the records. Observers hold up the replay rather than lose events.
      """)

  @Argument(help: "The recording.", completion: .file())
  var recording: String

  @OptionGroup var plugins: PluginOptions
  @OptionGroup var events: EventOutputOptions
  @OptionGroup var flow: FlowOptions
  @OptionGroup var serve: ServeOptions
  @OptionGroup var control: ControlOptions

  @Option(
    name: [.short, .long], help: ArgumentHelp("Record the replay, too.", valueName: "file"),
    completion: .file())
  var write: String?

  @Option(
    help: "max, or how many times as fast as recorded, as in 1x.", completion: .list(["max", "1x"]))
  var speed = ReplaySpeed.maximum

  func run() throws {
    let reader = try RecordingFile.open(recording)
    let pipeline = try Pipeline(plugins, flow, events, mode: .replay, overflow: .block)
    try pipeline.start(plugins)
    if let write { try pipeline.startRecording(to: write, source: "replay of \(recording)") }

    try pipeline.control(control)
    try pipeline.serve(serve)
    let player = Player(speed: speed, clock: pipeline.clock)
    let signals = SignalWatch { _ in player.stop() }
    let overflow = OverflowWatch(pipeline.ring, flow.onOverflow) { player.stop() }
    defer { withExtendedLifetime(overflow) {} }
    let start = EventClock.monotonic()
    let progress = ProgressClock(isAlone: events.output == EventOutput.none) {
      [ring = pipeline.ring] in
      "\(ring.published.grouped) events"
    }
    let (played, reading) = player.play(reader, into: pipeline.dispatcher)
    progress.end()
    let report = pipeline.stop()
    let seconds = Double(EventClock.monotonic() - start) / 1e9

    if !flow.quiet {
      Summary.print(
        [
          ("replay", "\(recording)  plugins \(pipeline.plugins.plugins.count)"),
          (
            "events",
            "\(played.events.grouped) replayed  denied \(played.denied.grouped)"
              + (played.leftOut > 0 ? "  made anew \(played.leftOut.grouped)" : "")
              + (signals.signal != 0 ? "  (interrupted)" : "")
          ),
          (
            "time",
            "\(KemonHostText.nanoseconds(seconds * 1e9))  "
              + "\(KemonHostText.rate(Double(played.events) / seconds)) events"
          ),
        ], report)
    }
    if let status = report.status(flow) { throw status }
    try RecordingFile.report(reading, of: recording)
  }
}

extension ReplaySpeed: ExpressibleByArgument {
  /// Reads `max` or a factor as in `2x`.
  public init?(argument: String) {
    if argument == "max" {
      self = .maximum
      return
    }
    guard argument.hasSuffix("x"), let factor = Double(argument.dropLast()), factor > 0,
      factor.isFinite
    else { return nil }
    self = .times(factor)
  }

  /// How help shows the default.
  public var defaultValueDescription: String { "max" }
}

extension Pipeline {
  /// Starts recording for a command.
  ///
  /// - Throws: an exit code, after saying why nothing can be recorded.
  func startRecording(to path: String, source: String) throws {
    do {
      try RecordingFile.checkTarget(path)
      try record(to: path, meta: ["host": HostVersion.text, "source": source])
    } catch let error where error is RecordingError || error is RingError {
      Console.error("\(error)")
      stop()
      throw ExitCode.failure
    }
  }
}
