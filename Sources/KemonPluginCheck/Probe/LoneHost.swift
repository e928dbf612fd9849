// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import KemonPluginHost
import KemonRecording
import KemonText

/// The host that a plugin will run in, with no other plugin in it, and events that are offered one after the other.
struct LoneHost {
  /// Why the plugin does not run.
  struct Refusal: Error { let text: String }

  let plugins: PluginHost
  let dispatcher: Dispatcher
  private let clock = EventClock()
  private let log = KeptLog()

  /// Loads a plugin and starts it.
  ///
  /// - Parameter path: a library, or the folder of a program.
  init(
    _ path: String, named name: String, configuration: JSONValue, mode: PluginMode,
    isolate: IsolationPolicy = .none
  ) throws(Refusal) {
    let ring = EventRing(slots: 64)
    dispatcher = Dispatcher(ring: ring, clock: clock)
    plugins = PluginHost(
      dispatcher: dispatcher, ring: ring, clock: clock, mode: mode, output: log, log: log,
      observerOverflow: .block)
    let report = plugins.load(
      directories: [path], configurations: .object([name: configuration]), isolate: isolate)
    let problems = report.problems + plugins.start()
    guard problems.isEmpty else {
      plugins.stop()
      throw Refusal(text: (problems.map(\.message) + complaints).joined(separator: "; "))
    }
  }

  /// Offers events, and shows each as it was published.
  func play(_ events: RecordArena, _ each: (RecordView, Verdict) -> Void) {
    Player(clock: clock).play(events, into: dispatcher, showing: each)
  }

  /// What the plugin and the host said at the level of errors.
  var complaints: [String] { log.lines }
}

/// Forgets what a plugin writes, and keeps errors.
private final class KeptLog: OutputSink, LogSink {
  private static let limit = 20
  private let kept = PosixLock<[String]>([])

  var lines: [String] { kept.withLock { $0 } }

  func write(_ bytes: UnsafeRawBufferPointer, mayWait: Bool) -> OutputResult { .accepted }

  func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer) {
    guard level == .error else { return }
    let line = String(decoding: message, as: UTF8.self)
    kept.withLock { if $0.count < Self.limit { $0.append(line) } }
  }
}
