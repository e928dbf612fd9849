// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonText
import Synchronization

// Unchecked: what changes is in `state` or atomic; the plugin's own functions are called by one control thread at a
// time, which PluginHost sees to.
/// A generation of a plugin: its life, and the host's side of the ABI for it.
///
/// ```
/// create ──▶ created ──start──▶ running ──handlers out──▶ observer drained ──stop──▶ destroy ──▶ stopped
///    └──────────────┴──▶ failed
/// ```
///
/// A reload makes another generation with the same id and name, which takes the running one's handlers over.
final class LoadedPlugin: @unchecked Sendable {
  let id: UInt32
  /// 1, and one more with every reload.
  let generation: Int
  let file: String
  let manifest: PluginManifest
  let sha256: String
  let services: HostServices

  let code: PluginCode
  /// The process of its own that it runs in; nil when it runs here.
  let worker: WorkerPlugin?
  /// Whose turn it is to be called, where the plugin cannot be called at any time.
  let turns: TurnGate?
  /// By the tokens of handlers.
  let limitedCalls = PosixLock<[UInt64: LimitedCall]>([:])
  let standings = PosixLock<[UInt64: HandlerStanding]>([:])
  /// The thread that is inside one of the plugin's control functions; 0 when none is.
  private let controlThread = Atomic<UInt>(0)
  let misbehaviour = Atomic<Int>(0)
  /// The kinds that it has declared, by their place.
  let ownKinds = Atomic<UInt64>(0)
  /// Those of all generations.
  let metrics: PluginMetrics
  let mutes = PluginMutes()
  let blobs: PluginBlobs
  let retained = RetainedEvents()
  let ticketOwner: TicketOwner
  /// Unlike the id no other generation's.
  let instanceNumber = LoadedPlugin.lastInstance.wrappingAdd(1, ordering: .relaxed).newValue
  private static let lastInstance = Atomic<UInt32>(0)
  let state: Mutex<State>

  struct State: @unchecked Sendable {
    var stage = Stage.new
    var instance: UnsafeMutableRawPointer?
    var requests: [HandlerRequest] = []
    var nextToken: UInt64 = 1
    /// The dispatcher's tokens of its voters, by name.
    var tokens: [String: HandlerToken] = [:]
    var observer: Observer?
    var settings: PluginSettings
    /// A newer generation has taken its handlers over.
    var isSuperseded = false
    var configuration: PluginConfiguration
    /// Those that were in force before: a plugin may keep texts of them until destroy.
    var oldConfigurations: [PluginConfiguration] = []
    /// The path of the folder of its own.
    var dataFolder: OwnedCString?
    /// The sealed copy of its file; nil when it is at its end.
    var image: SealedImage?
  }

  enum Stage { case new, creating, created, starting, running, stopping, stopped, failed }

  /// Maps the code of a checked plugin and asks its entry; create is not called yet.
  ///
  /// - Parameters:
  ///   - older: the generation before it.
  ///   - code: of the same bytes, when they are mapped already.
  ///   - isIsolated: it gets a process of its own.
  init(
    _ candidate: PluginScanner.Candidate, id: UInt32, after older: LoadedPlugin? = nil,
    code: PluginCode? = nil, configuration: CheckedConfiguration, settings: PluginSettings,
    services: HostServices, isIsolated: Bool = false
  ) throws(PluginProblem) {
    if isIsolated, let workers = services.workers {
      let worker = try WorkerPlugin(
        candidate, id: id, configuration: configuration.value, grants: settings.capabilities,
        services: services, workers: workers)
      self.worker = worker
      self.code = PluginCode(table: WorkerPlugin.table(), abi: HostServices.abi)
    } else {
      worker = nil
      if let code {
        self.code = code
      } else {
        self.code = try PluginCode(candidate, mode: services.mode)
      }
    }
    turns = TurnGate(concurrency: self.code.table.concurrency)
    generation = (older?.generation ?? 0) + 1
    metrics = older?.metrics ?? PluginMetrics()
    metrics.beginGeneration()
    self.id = id
    ticketOwner = TicketOwner(pluginID: id)
    blobs = PluginBlobs(pluginID: id)
    file = candidate.file
    manifest = candidate.manifest
    sha256 = candidate.image.sha256
    self.services = services
    state = Mutex(
      State(
        settings: settings, configuration: PluginConfiguration(configuration),
        image: candidate.image))
  }

  var name: String { manifest.name }

  /// What can be told about it.
  var info: PluginInfo {
    let (stage, handlers, settings) = state.withLock {
      ($0.stage, $0.requests.map(\.info), $0.settings)
    }
    let shown: PluginState =
      switch stage {
      case .new, .creating, .created, .starting: .created
      case .running, .stopping: .running
      case .stopped: .stopped
      case .failed: .failed
      }
    return PluginInfo(
      id: id, generation: generation, name: name, version: manifest.version,
      description: manifest.description, abi: PluginCode.text(code.abi), file: file,
      sha256: sha256, state: shown, mode: settings.mode, isEnabled: settings.isEnabled,
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

  var configuration: PluginConfiguration { state.withLock { $0.configuration } }

  // MARK: Life

  /// Creates the plugin's instance; its handlers wait.
  ///
  /// - Parameters:
  ///   - saved: what the generation before it has written; nil for none.
  ///   - version: what that generation's manifest says of it.
  func create(from saved: [UInt8]? = nil, version: Int64 = 0) throws(PluginProblem) {
    state.withLock { $0.stage = .creating }
    let table = HostTable.make(for: self, abi: code.abi)
    let configuration = configuration
    var create = kemon_create()
    create.size = UInt32(MemoryLayout<kemon_create>.size)
    create.config_len = configuration.textLength
    create.config_json = configuration.text
    let dataFolder = try makeDataFolder()
    state.withLock { $0.dataFolder = dataFolder }
    create.data_dir = dataFolder?.pointer
    var error = Self.errorBuffer()
    let instance = (saved ?? [])
      .withUnsafeBytes { bytes in
        create.state = saved == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(CText.empty)
        create.state_len = UInt64(bytes.count)
        create.state_version = UInt32(clamping: version)
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
    try start { () throws(RingError) in
      try goLive(dispatcher: dispatcher, ring: ring, overflow: overflow)
    }
  }

  /// Starts the plugin, and lets its handlers in.
  ///
  /// - Parameter goLive: lets events reach its handlers, or throws and has changed nothing.
  func start(_ goLive: () throws(RingError) -> Void) throws(PluginProblem) {
    let instance = state.withLock { state in
      state.stage = .starting
      return state.instance
    }
    if let start = code.table.start {
      var error = Self.errorBuffer()
      let status = asControl("start") { start(instance, &error) }
      guard status == KEMON_OK else {
        fail(instance)
        throw problem(.startFailed, status, error, needed: "KEMON_OK")
      }
    }
    do throws(RingError) {
      try goLive()
      setMaking(true)
      services.timers?.start(instanceNumber)
      state.withLock { $0.stage = .running }
    } catch {
      if let stop = code.table.stop { asControl("stop") { stop(instance) } }
      fail(instance)
      throw PluginProblem(
        .startFailed, file: file, plugin: name, found: error.description,
        needed: "a free place for its observer")
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
    services.timers?.stop(instanceNumber)
    // Lanes that wait for a vote of the plugin go on now.
    TicketDesk.close(allOf: ticketOwner, .stop)
    if !tokens.isEmpty { dispatcher.remove(Array(tokens.values)) }
    observer?.stop()
    services.typed.withdraw(owner: instanceNumber)
    if state.withLock({ !$0.isSuperseded }) { setMaking(false) }
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
    state.withLock { state in
      state.stage = .stopped
      state.image = nil
    }
  }

  /// Lets go of everything that nobody can ask for once the plugin is at its end and another one has its name.
  ///
  /// The object itself stays: a thread of the plugin that has outlived it may still call the host.
  func forget() {
    mutes.removeAll()
    state.withLock { state in
      state.requests = []
      state.tokens = [:]
      state.observer = nil
      state.configuration = .none
      state.oldConfigurations = []
      state.dataFolder = nil
      state.image = nil
    }
  }

  private func destroy(_ instance: UnsafeMutableRawPointer?) {
    if let destroy = code.table.destroy { asControl("destroy") { destroy(instance) } }
    state.withLock { $0.instance = nil }
  }

  /// Forgets every handler that the plugin has asked for, and what it offers, and destroys the instance, if there is one:
  /// nobody else is in it any more.
  private func fail(_ instance: UnsafeMutableRawPointer? = nil) {
    services.timers?.stop(instanceNumber)
    services.typed.withdraw(owner: instanceNumber)
    if let instance { destroy(instance) }
    state.withLock { state in
      state.requests = []
      state.stage = .failed
      state.image = nil
    }
  }

  /// Runs one of the plugin's control functions.
  func asControl<Result>(_ call: StaticString, _ body: () -> Result) -> Result {
    controlThread.store(UInt(pthread_self()), ordering: .relaxed)
    defer { controlThread.store(0, ordering: .relaxed) }
    return ControlWatch.during(
      "\(call)", of: name, patience: services.patience, log: services.log
    ) {
      HandlerCrumb.current.during(call, ofPlugin: id, body)
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
    let text = configuration.withoutSecrets(withUnsafeBytes(of: error.text) { $0.cString })
    let place = error.line > 0 ? "line \(error.line), column \(error.column): " : ""
    let code = error.code < 0 ? error.code : status
    let found = text.isEmpty ? "status \(code) without a reason" : "\"\(place)\(text)\""
    return PluginProblem(rule, file: file, plugin: name, found: found, needed: needed)
  }
}
