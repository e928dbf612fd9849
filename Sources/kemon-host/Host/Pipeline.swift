// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import KemonBus
import KemonEvents
import KemonKernel
import KemonPluginHost
import KemonRecording
import KemonText

/// Ring, dispatcher, plugins, output and recorder of one run, wired together.
final class Pipeline {
  let ring: EventRing
  let clock = EventClock()
  let dispatcher: Dispatcher
  let plugins: PluginHost
  private let output: BufferedOutput
  private let log: DescriptorLog
  private let events: EventOutputOptions?
  private let overflow: OverflowPolicy
  private var recording: (recorder: Recorder, writer: RecordingWriter)?
  private var server: OriginalServer?
  private var stateFolder: StateFolder?
  private let hadOutput = Pipeline.hasOutput
  private var allocatedBefore: UInt64 = 0
  private var control: ControlServer?

  /// Wires a run together; nothing happens yet.
  ///
  /// - Parameters:
  ///   - events: how event-log writes; nil throws away what plugins write and counts it.
  ///   - mode: what plugins are told.
  ///   - overflow: what happens to a subscriber that is a whole ring behind, unless the options say it.
  ///   - release: the kernel that runs; nil when events come from a recording.
  /// - Throws: an exit code, after saying which key cannot be read.
  init(
    _ options: PluginOptions, _ flow: FlowOptions, _ events: EventOutputOptions?, mode: PluginMode,
    overflow: OverflowPolicy, release: KernelRelease? = nil
  ) throws {
    self.events = events
    self.overflow = flow.onOverflow ?? overflow
    ring = EventRing(slots: flow.ring, simulatedLoss: flow.simulateDrops)
    dispatcher = Dispatcher(ring: ring, clock: clock)
    let isSilent = events == nil || events?.output == EventOutput.none
    output = BufferedOutput(to: isSilent ? nil : 1)
    log = DescriptorLog(to: 2, threshold: flow.verbose ? .debug : .info)
    plugins = PluginHost(
      dispatcher: dispatcher, ring: ring, clock: clock, mode: mode, output: output, log: log,
      observerOverflow: self.overflow, isMonitoring: options.mode == .monitor,
      trust: try options.trust.policy(), dataDirectory: options.dataDirectory,
      operations: .mac(running: release), budgets: (try? options.budgets()) ?? CallBudgets())
    CrashReport.begin(ring)
  }

  /// Records everything that is published from now on.
  ///
  /// - Throws: ``RecordingError`` when the file cannot be made, ``RingError`` when the ring has no place.
  func record(to path: String, meta: [String: String]) throws {
    let writer = try RecordingWriter(creating: path, meta: meta)
    let recorder = Recorder(ring: ring, writer: writer, overflow: overflow)
    try recorder.start()
    recording = (recorder, writer)
  }

  /// Loads and starts the plugins; says what is wrong with those that cannot be.
  ///
  /// - Parameter embedded: configuration for those of the named plugins that are there.
  /// - Throws: exit code 5 when a plugin is missing that the options require.
  func start(_ options: PluginOptions, embedded: JSONValue = .object([:])) throws {
    stateFolder = try options.stateFolder.map { try StateFolder($0) }
    let (configuration, places) = try PluginConfiguration.read(options, events)
    let report = plugins.load(
      directories: options.paths, configurations: configuration, defaults: embedded,
      places: places, require: options.require, disable: Set(options.disable),
      only: Set(options.only), isolate: options.isolate)
    let problems = report.problems + plugins.start()
    stateFolder?.write(plugins.plugins, dispatcher.handlerStatistics())
    allocatedBefore = CrashReport.allocatedBytes
    try checkBudgets(options)
    for problem in problems { Console.warning(problem.description) }
    if report.loaded.isEmpty, !options.paths.isEmpty {
      Console.warning("no plugin was loaded from \(options.paths.joined(separator: ", "))")
    }
    let running = Set(plugins.plugins.filter { $0.state == .running }.map(\.name))
    let missing = options.require.filter { !running.contains($0) }
    for name in missing { Console.error("plugin \(name) is required and is not running") }
    if !missing.isEmpty {
      stop()
      throw ExitStatus.requiredPlugin
    }
  }

  /// A name that is not there would leave a handler without the budget that it was to have.
  private func checkBudgets(_ options: PluginOptions) throws {
    let names = Set(
      plugins.plugins.flatMap { plugin in
        [plugin.name] + plugin.handlers.map { "\(plugin.name)/\($0.name)" }
      })
    let unknown = try options.budgets().named.keys.filter { !names.contains($0) }.sorted()
    for name in unknown {
      Console.error("--budget \(name): there is no such plugin or handler")
    }
    if !unknown.isEmpty {
      stop()
      throw ExitStatus.configuration
    }
  }

  /// Ends the run: observers and the recorder read what was published, plugins stop, output is flushed.
  @discardableResult
  func stop() -> FlowReport {
    control?.stop()
    control = nil
    plugins.stop()
    let allocated = CrashReport.allocatedBytes
    var report = FlowReport(
      published: ring.published, refused: ring.refused, hasOverflowed: ring.hasOverflowed,
      accounts: plugins.observerAccounts,
      voters: dispatcher.handlerStatistics(), observers: plugins.observerStatistics,
      metrics: plugins.metrics)
    if let server {
      report.clients = server.stop()
      report.accounts.append(server.account)
      self.server = nil
    }
    if let (recorder, writer) = recording {
      recordNames(in: writer)
      report.accounts.append(recorder.stop())
      report.recordingFailure = recorder.failure
      recording = nil
    }
    report.workers = plugins.plugins.compactMap { info in info.worker.map { (info.name, $0) } }
    output.close()
    log.close()
    stateFolder?.close()
    report.hasOverflowed = ring.hasOverflowed
    report.droppedOutput = output.account.droppedWrites
    report.outputFailure = output.failure
    report.droppedLog = log.droppedLines
    report.grownBytes = allocated > allocatedBefore ? allocated - allocatedBefore : 0
    report.hasLostOutput = hadOutput && !Self.hasOutput
    return report
  }

  /// Whether standard output and standard error are open: a plugin can close them.
  private static var hasOutput: Bool { fcntl(1, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0 }

  /// Serves clients of the original's messages from now on, if the options say so.
  ///
  /// - Throws: an exit code, after saying why the socket cannot be used.
  func serve(_ options: ServeOptions?) throws {
    guard let options, let path = options.socket else { return }
    do {
      let server = try OriginalServer(listeningAt: path, ring: ring, overflow: overflow)
      self.server = server
      while server.clientCount < options.awaitClients { usleep(1000) }
    } catch {
      Console.error("--serve-original \(error)")
      stop()
      throw ExitCode.failure
    }
  }

  /// Lets the plugins be controlled from now on, if the options say so.
  ///
  /// - Throws: an exit code, after saying why the socket cannot be used.
  func control(_ options: ControlOptions) throws {
    guard let path = options.socket else { return }
    do {
      control = try ControlServer(listeningAt: path, for: plugins)
    } catch {
      Console.error("--control \(error)")
      stop()
      throw ExitCode.failure
    }
  }

  /// Returns when the observers have read everything that was published until now.
  func waitForObservers() {
    while plugins.observerAccounts.contains(where: { $0.pending > 0 }) { usleep(100) }
  }

  /// Votes carry numbers; a recording says what they stand for.
  private func recordNames(in writer: RecordingWriter) {
    let handlers = dispatcher.handlerStatistics().map { ($0.token.id, $0.name) }
    do {
      try writer.set(
        plugins: Dictionary(
          plugins.plugins.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first }),
        handlers: Dictionary(handlers, uniquingKeysWith: { first, _ in first }))
    } catch {
      Console.warning("the names of plugins are missing in the recording: \(error)")
    }
  }
}

/// What became of every event of a run.
struct FlowReport {
  var published: UInt64
  var refused: UInt64
  var hasOverflowed: Bool
  var accounts: [SubscriberAccount]
  var voters: [HandlerStatistics]
  var observers: [HandlerStatistics]
  var metrics: [PluginMetric]
  var clients: [OriginalServer.ClientAccount] = []
  /// Plugins in processes of their own.
  var workers: [(plugin: String, report: WorkerReport)] = []
  var recordingFailure: RecordingError?
  var droppedOutput: UInt64 = 0
  var droppedLog: UInt64 = 0
  /// What ended the output of plugins, an errno; 0 for nothing.
  var outputFailure: Int32 = 0
  /// How much more was allocated when the plugins had stopped than when they had started.
  var grownBytes: UInt64 = 0
  /// Whether standard output or standard error has gone in this process.
  var hasLostOutput = false

  var lost: UInt64 { accounts.reduce(0) { $0 + $1.lost } }
  var overwritten: UInt64 { accounts.reduce(0) { $0 + $1.losses.overwritten } }
  var isBalanced: Bool { accounts.allSatisfy { $0.isBalanced && $0.pending == 0 } }

  /// The exit code that the accounts ask for, if any.
  func status(_ flow: FlowOptions) -> ExitCode? {
    if !isBalanced {
      Console.error("the accounts of a subscriber do not balance; this is a defect of kemon-host")
      return ExitStatus.eventsLost
    }
    if let recordingFailure {
      Console.error("the recording is not complete: \(recordingFailure)")
      return .failure
    }
    if Console.reportLostData(outputFailure) || hasLostOutput { return .failure }
    if flow.onOverflow == .exit, overwritten > 0 || hasOverflowed {
      Console.error("an observer or the recorder was a whole ring behind: the run ended early")
      return ExitStatus.eventsLost
    }
    return flow.failOnLoss && lost > 0 ? ExitStatus.eventsLost : nil
  }
}
