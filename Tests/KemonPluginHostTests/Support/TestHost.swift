// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import KemonTestSupport
import KemonText

@testable import KemonPluginHost

/// Keeps what plugins write and say.
final class Collector: OutputSink, LogSink {
  private let content = PosixLock<(lines: [String], logged: [String], waiting: [Bool])>(
    ([], [], []))

  var lines: [String] { content.withLock { $0.lines } }
  var text: String { content.withLock { $0.lines.joined() } }
  var logged: [String] { content.withLock { $0.logged } }
  /// For each line, whether its writer was allowed to wait.
  var waiting: [Bool] { content.withLock { $0.waiting } }

  func write(_ bytes: UnsafeRawBufferPointer, mayWait: Bool) -> OutputResult {
    content.withLock { content in
      content.lines.append(String(decoding: bytes, as: UTF8.self))
      content.waiting.append(mayWait)
    }
    return .accepted
  }

  func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer) {
    let line = "\(level.name): \(source): \(String(decoding: message, as: UTF8.self))"
    content.withLock { $0.logged.append(line) }
  }
}

/// A host with a bus of its own and a folder of plugins.
final class TestHost {
  let folder: ScratchFolder
  let collector = Collector()
  let clock = EventClock()
  let ring = EventRing(slots: 256)
  let dispatcher: Dispatcher
  let host: PluginHost
  private var builder = RecordBuilder()

  init(
    mode: PluginMode = .run, limits: WorkerLimits = WorkerLimits(),
    operations: OperationCatalog? = nil, budgets: CallBudgets = CallBudgets()
  ) throws {
    folder = try ScratchFolder()
    dispatcher = Dispatcher(ring: ring, clock: clock)
    host = PluginHost(
      dispatcher: dispatcher, ring: ring, clock: clock, mode: mode, output: collector,
      log: collector, observerOverflow: .block,
      worker: WorkerProgram(path: Command(built: "kemon-host").path),
      workerLimits: limits, operations: operations, budgets: budgets)
  }

  /// Loads what is in the folder.
  func load(
    _ configurations: JSONValue = .object([:]), require: [String] = [], disable: Set<String> = [],
    only: Set<String> = [], isolate: IsolationPolicy = .none
  ) -> LoadReport {
    host.load(
      directories: [folder.path], configurations: configurations, require: require,
      disable: disable, only: only, isolate: isolate)
  }

  /// Something opens a file; tells what was decided.
  @discardableResult
  func open(
    _ path: String, by executable: String = "/bin/cat", flags: Int32 = 0, mode: UInt32 = 0,
    uid: UInt32 = 0
  ) -> Verdict {
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.setPayload(
      kemon_file(dev: 0, ino: 0, flags: flags, mode: mode, path: builder.text(path)))
    builder.header.pointee.subject.exe = builder.text(executable)
    builder.header.pointee.subject.uid = uid
    return dispatcher.dispatch(&builder)
  }

  /// The tiers of the votes on what happened last.
  var lastTiers: [UInt16] {
    (0..<builder.view.voteCount).map { builder.view.vote($0).tier }
  }

  /// The reason codes of the votes on what happened last.
  var lastVotes: [UInt32] {
    (0..<builder.view.voteCount).map { builder.view.vote($0).reason_code }
  }
}
