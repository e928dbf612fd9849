// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonText
import Synchronization

// Unchecked: what changes is in `state` or atomic; the plugin's own functions are called by one control thread at a
// time, which PluginHost sees to.
/// A plugin whose code is mapped: its life, and the host's side of the ABI for it.
///
/// ```
/// create ──▶ created ──start──▶ running ──handlers out──▶ observer drained ──stop──▶ destroy ──▶ stopped
///    └──────────────┴──▶ failed
/// ```
final class LoadedPlugin: @unchecked Sendable {
  let id: UInt32
  let file: String
  let manifest: PluginManifest
  let image: SealedImage
  let services: HostServices

  let code: PluginCode
  /// The process of its own that it runs in; nil when it runs here.
  let worker: WorkerPlugin?
  let configuration: PluginConfiguration
  /// Whose turn it is to be called, where the plugin cannot be called at any time.
  let turns: TurnGate?
  let limitedCalls = PosixLock<[LimitedCall]>([])
  /// The thread that is inside one of the plugin's control functions; 0 when none is.
  private let controlThread = Atomic<UInt>(0)
  let misbehaviour = Atomic<Int>(0)
  /// The kinds that it has declared, by their place.
  let ownKinds = Atomic<UInt64>(0)
  let metrics = PluginMetrics()
  let mutes = PluginMutes()
  let blobs = PluginBlobs()
  let retained = RetainedEvents()
  let ticketOwner: TicketOwner
  let state = Mutex(State())

  struct State: @unchecked Sendable {
    var stage = Stage.new
    var instance: UnsafeMutableRawPointer?
    var requests: [HandlerRequest] = []
    var nextToken: UInt64 = 1
    var tokens: [HandlerToken] = []
    var observer: Observer?
  }

  enum Stage { case new, creating, created, starting, running, stopping, stopped, failed }

  /// Maps the code of a checked plugin and asks its entry; create is not called yet.
  init(
    _ candidate: PluginScanner.Candidate, id: UInt32, configuration: JSONValue,
    services: HostServices, isIsolated: Bool = false
  ) throws(PluginProblem) {
    if isIsolated, let workers = services.workers {
      let worker = try WorkerPlugin(
        candidate, id: id, configuration: configuration, services: services, workers: workers)
      self.worker = worker
      code = PluginCode(table: WorkerPlugin.table(), abi: HostServices.abi)
    } else {
      worker = nil
      code = try PluginCode(candidate, mode: services.mode)
    }
    turns = TurnGate(concurrency: code.table.concurrency)
    self.id = id
    ticketOwner = TicketOwner(pluginID: id)
    file = candidate.file
    manifest = candidate.manifest
    image = candidate.image
    self.services = services
    self.configuration = PluginConfiguration(configuration)
  }

  var name: String { manifest.name }

  /// What can be told about it.
  var info: PluginInfo {
    let (stage, handlers) = state.withLock { ($0.stage, $0.requests.map(\.info)) }
    let shown: PluginState =
      switch stage {
      case .new, .creating, .created, .starting: .created
      case .running, .stopping: .running
      case .stopped: .stopped
      case .failed: .failed
      }
    return PluginInfo(
      id: id, name: name, version: manifest.version, description: manifest.description,
      abi: PluginCode.text(code.abi), file: file, sha256: image.sha256, state: shown,
      handlers: handlers, misbehaviour: misbehaviour.load(ordering: .relaxed),
      worker: worker?.report)
  }

  /// What became of every event for its observer, once it has been started.
  var observerAccount: SubscriberAccount? {
    let account = observer?.account
    return worker.flatMap { worker in account.map(worker.account) } ?? account
  }

  /// The observer, once it has been started.
  var observer: Observer? { state.withLock { $0.observer } }

  // MARK: Life

  /// Creates the plugin's instance; its handlers wait.
  ///
  /// - Parameter saved: what the generation before it has written; nil for none.
  func create(from saved: [UInt8]? = nil) throws(PluginProblem) {
    state.withLock { $0.stage = .creating }
    let table = HostTable.make(for: self, abi: code.abi)
    var create = kemon_create()
    create.size = UInt32(MemoryLayout<kemon_create>.size)
    create.config_len = configuration.textLength
    create.config_json = configuration.text
    var error = Self.errorBuffer()
    let instance = (saved ?? [])
      .withUnsafeBytes { bytes in
        create.state = saved == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(CText.empty)
        create.state_len = UInt64(bytes.count)
        return asControl("create") { code.table.create(table, &create, &error) }
      }
    guard let instance else {
      fail()
      throw problem(
        .createFailed, KEMON_E_FAILED, error, needed: "a configuration that the plugin accepts")
    }
    state.withLock { state in
      state.instance = instance
      state.stage = .created
    }
  }

  /// Starts the plugin; its handlers are called when this returns.
  func start(
    dispatcher: Dispatcher, ring: EventRing, overflow: OverflowPolicy
  ) throws(PluginProblem) {
    let instance = state.withLock { state in
      state.stage = .starting
      return state.instance
    }
    if let start = code.table.start {
      var error = Self.errorBuffer()
      let status = asControl("start") { start(instance, &error) }
      guard status == KEMON_OK else {
        destroy(instance)
        fail()
        throw problem(.startFailed, status, error, needed: "KEMON_OK")
      }
    }
    do throws(RingError) {
      try goLive(dispatcher: dispatcher, ring: ring, overflow: overflow)
    } catch {
      if let stop = code.table.stop { asControl("stop") { stop(instance) } }
      destroy(instance)
      fail()
      throw PluginProblem(
        .startFailed, file: file, plugin: name, found: error.description,
        needed: "a free place for its observer")
    }
  }

  private func goLive(
    dispatcher: Dispatcher, ring: EventRing, overflow: OverflowPolicy
  ) throws(RingError) {
    // By now every plugin has declared its kinds.
    let requests = state.withLock { state in
      for index in state.requests.indices { state.requests[index].resolveKinds(except: owns) }
      return state.requests
    }
    let observing = requests.filter { $0.role == .observer }
    let voting = requests.filter { $0.role != .observer }
    var observer: Observer?
    if !observing.isEmpty {
      let new = Observer(
        named: name, ring: ring, overflow: overflow, handlers: handlers(observing))
      // Before the voters, so that it sees everything that they vote on.
      try new.start()
      observer = new
    }
    let tokens = dispatcher.add(handlers(voting) + processWatch())
    for (token, request) in zip(tokens, voting) {
      services.handlerNames.set(request.name, for: token.id)
    }
    setMaking(true)
    blobs.start(dispatcher)
    services.timers?.start(id)
    state.withLock { state in
      state.observer = observer
      state.tokens = tokens
      state.stage = .running
    }
  }

  private func handlers(_ requests: [HandlerRequest]) -> [KemonBus.Handler] {
    requests.map { request in
      var handler = request.handler(
        pluginID: id, pluginName: name, isMonitoring: services.isMonitoring)
      handler.mutes = mutes.setToAsk(for: request.token)
      handler.modifiable = manifest.modifiable
      return limited(handler, request)
    }
  }

  /// Ends the plugin: handlers leave, the observer reads what is left, then stop and destroy.
  func stop(dispatcher: Dispatcher) {
    let (stage, instance, tokens, observer) = state.withLock { state in
      defer { state.stage = .stopping }
      return (state.stage, state.instance, state.tokens, state.observer)
    }
    guard stage == .running || stage == .created else {
      state.withLock { $0.stage = stage }
      return
    }
    services.timers?.stop(id)
    // Lanes that wait for a vote of the plugin go on now.
    TicketDesk.close(allOf: ticketOwner, .stop)
    if !tokens.isEmpty { dispatcher.remove(tokens) }
    observer?.stop()
    services.typed.withdraw(owner: id)
    setMaking(false)
    guard haveLateCallsReturned() else {
      // Stop and destroy may count on no handler running any more: the instance is left as it is.
      state.withLock { $0.stage = .stopped }
      return
    }
    // Only what was started is stopped.
    if stage == .running, let stop = code.table.stop { asControl("stop") { stop(instance) } }
    TicketDesk.forget(allOf: ticketOwner)
    blobs.stop()
    destroy(instance)
    let kept = retained.releaseAll()
    if kept > 0 {
      services.log.log(.warn, source: "host", "plugin \(name) has not released \(kept) events")
    }
    state.withLock { $0.stage = .stopped }
  }

  private func destroy(_ instance: UnsafeMutableRawPointer?) {
    if let destroy = code.table.destroy { asControl("destroy") { destroy(instance) } }
    state.withLock { $0.instance = nil }
  }

  /// Forgets every handler that the plugin has asked for, and what it offers.
  private func fail() {
    services.timers?.stop(id)
    services.typed.withdraw(owner: id)
    state.withLock { state in
      state.requests = []
      state.stage = .failed
    }
  }

  /// Runs one of the plugin's control functions.
  func asControl<Result>(_ call: StaticString, _ body: () -> Result) -> Result {
    controlThread.store(UInt(pthread_self()), ordering: .relaxed)
    defer { controlThread.store(0, ordering: .relaxed) }
    // A static string ends with a NUL.
    let text = UnsafeRawPointer(call.utf8Start).assumingMemoryBound(to: CChar.self)
    return ControlWatch.during(
      "\(call)", of: name, patience: services.patience, log: services.log
    ) {
      HandlerCrumb.current.during(text, ofPlugin: id, body)
    }
  }

  var isControlThread: Bool {
    controlThread.load(ordering: .relaxed) == UInt(pthread_self())
  }

  static func errorBuffer() -> kemon_error {
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    return error
  }

  func problem(
    _ rule: PluginProblem.Rule, _ status: kemon_status, _ error: kemon_error, needed: String
  ) -> PluginProblem {
    let text = withUnsafeBytes(of: error.text) { $0.cString }
    let place = error.line > 0 ? "line \(error.line), column \(error.column): " : ""
    let code = error.code < 0 ? error.code : status
    let found = text.isEmpty ? "status \(code) without a reason" : "\"\(place)\(text)\""
    return PluginProblem(rule, file: file, plugin: name, found: found, needed: needed)
  }
}
