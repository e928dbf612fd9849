// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonText
import Synchronization

/// A worker's life with its plugin: from the hello to the stop.
///
/// The plugin is a ``LoadedPlugin``, as it is in the host; only that nothing but the host's requests calls its handlers.
final class WorkerSession {
  private let hello: WorkerHello
  private let control: WorkerControl
  private let output: BufferedOutput
  private let plugin: LoadedPlugin
  private let page: WorkerPage
  private let clock = EventClock()
  private let confinement: String
  private let rings: [SharedRing]
  private var threads: [RequestThread] = []

  init(
    _ hello: WorkerHello, state: [UInt8], _ control: WorkerControl, output: BufferedOutput,
    log: WorkerLog, operations: OperationCatalog?
  ) throws(WorkerFailure) {
    self.hello = hello
    self.control = control
    self.output = output
    page = try WorkerPage(reading: KEMON_WORKER_PAGE)
    do throws(RingError) {
      var rings: [SharedRing] = []
      for number in 0...Int32(hello.lanes) {
        rings.append(try SharedRing(attaching: KEMON_WORKER_EVENTS + number))
        close(KEMON_WORKER_EVENTS + number)
      }
      self.rings = rings
    } catch {
      throw WorkerFailure(error.description)
    }
    var services = HostServices(
      mode: hello.mode, isMonitoring: hello.isMonitoring, clock: clock, output: output, log: log,
      pluginNames: NameRegistry(reading: page, as: .plugin),
      handlerNames: NameRegistry(reading: page, as: .handler))
    services.isWorker = true
    services.operations = operations
    confinement = try WorkerConfinement.enter(hello.grants, hello.limits)
    do throws(PluginProblem) {
      let candidate = try PluginScanner.adopt(KEMON_WORKER_PLUGIN, file: hello.file)
      plugin = try LoadedPlugin(
        candidate, id: hello.id, configuration: CheckedConfiguration(hello.configuration),
        settings: PluginSettings(
          mode: hello.isMonitoring ? .monitor : .enforce, capabilities: Set(hello.grants)),
        services: services)
      try plugin.create(from: state.isEmpty ? nil : state)
    } catch {
      throw WorkerFailure(error.found)
    }
  }

  /// Answers frames until the stop, or the end of the host.
  func run() throws(WorkerFailure) {
    try send(.created)
    // The plugin's own dispatcher and ring, in which nothing ever happens.
    let ring = EventRing(slots: 4, recordLimit: 4096)
    let dispatcher = Dispatcher(ring: ring, clock: clock)
    while let (type, _) = try control.receive(deadline: .max) {
      switch type {
      case .start:
        do throws(PluginProblem) {
          try plugin.start(dispatcher: dispatcher, ring: ring, overflow: .block)
        } catch {
          throw WorkerFailure(error.found)
        }
        startThreads()
        try send(.started)
      case .save: try sendState()
      case .stop:
        for thread in threads { thread.finish() }
        plugin.stop(dispatcher: dispatcher)
        output.close()
        try control.send(
          .stopped, .object(["misbehaviour": .integer(Int64(plugin.info.misbehaviour))]),
          deadline: .max)
        return
      default: throw WorkerFailure("a frame of type \(type) in the middle of a session")
      }
    }
  }

  /// Answers with the plugin's state; a plugin that cannot save it goes on.
  private func sendState() throws(WorkerFailure) {
    let saved: [UInt8]
    do throws(PluginProblem) {
      saved = try plugin.save() ?? []
    } catch {
      return try control.send(.failed, WorkerFailure(error.found).json, deadline: .max)
    }
    try control.send(.saved, saved, deadline: .max)
  }

  private func send(_ type: WorkerFrame) throws(WorkerFailure) {
    let handlers = plugin.state.withLock { $0.requests }
    try control.send(
      type,
      .object([
        "handlers": .array(handlers.map(\.description)),
        "concurrency": .integer(Int64(plugin.code.table.concurrency)),
        "saves": .bool(plugin.code.table.save != nil), "confinement": .string(confinement),
      ]),
      deadline: .max)
  }

  /// One thread for each lane, and one for the events to observe.
  private func startThreads() {
    let requests = plugin.state.withLock { $0.requests }
    let calls = HandlerCalls(requests)
    for (number, ring) in rings.enumerated() {
      threads.append(
        RequestThread(
          ring, named: number == 0 ? "observer" : "lane \(number)", isObserver: number == 0, calls,
          plugin.turns, clock, page, isReplay: hello.mode == .replay))
    }
  }
}
