// SPDX-License-Identifier: Apache-2.0

public import KemonBus
public import KemonEvents
internal import KemonPlatform
public import KemonText

/// The plugins of a run: finds, checks, loads, starts and stops them.
///
/// ```swift
/// let host = PluginHost(dispatcher: dispatcher, ring: ring, clock: clock, mode: .run, output: output, log: log)
/// let report = host.load(directories: ["/usr/lib/kemon/plugins"])
/// let problems = host.start()
/// …
/// host.stop()
/// ```
///
/// Any thread; one call at a time is inside the plugins' control functions, the others wait for it.
public final class PluginHost: Sendable {
  let dispatcher: Dispatcher
  let ring: EventRing
  let observerOverflow: OverflowPolicy
  let services: HostServices
  let trust: TrustPolicy
  let state = PosixLock(State())
  /// Signalled when something is to be decided about a trial.
  let trialWake = FutexWord()

  struct State {
    var plugins: [LoadedPlugin] = []
    var nextID: UInt32 = 1
    /// Trials that are on, by the plugin's name.
    var trials: [String: PendingTrial] = [:]
    /// The code that is mapped, by the hash of its file: an unchanged file is not mapped again for a new generation.
    var codes: [String: PluginCode] = [:]
    /// Decides about trials; nil before the first.
    var trialWatch: WorkerThread?
    var isOver = false
  }

  /// Makes a host without plugins.
  ///
  /// - Parameters:
  ///   - dispatcher: calls the handlers that vote.
  ///   - ring: where the handlers that observe read.
  ///   - clock: what plugins are told the time by.
  ///   - mode: what plugins are told that the host does.
  ///   - output: takes what plugins write.
  ///   - log: takes what plugins have to say.
  ///   - observerOverflow: what happens when an observer is a whole ring behind.
  ///   - isMonitoring: votes are recorded as what plugins would have said, and decide nothing.
  ///   - trust: what plugins must show before their code is loaded.
  ///   - dataDirectory: where plugins with the capability `fs.data` get a folder of their own; nil for nowhere.
  ///   - worker: the program that plugins run in which get a process of their own.
  ///   - workerLimits: what such a process may use.
  ///   - operations: the operations that handlers may name like kinds; nil for none.
  ///   - budgets: how long handlers may take.
  public init(
    dispatcher: Dispatcher, ring: EventRing, clock: EventClock, mode: PluginMode,
    output: any OutputSink, log: any LogSink, observerOverflow: OverflowPolicy = .drop,
    isMonitoring: Bool = false, trust: TrustPolicy = TrustPolicy(), dataDirectory: String? = nil,
    worker: WorkerProgram = WorkerProgram(), workerLimits: WorkerLimits = WorkerLimits(),
    operations: OperationCatalog? = nil, budgets: CallBudgets = CallBudgets()
  ) {
    self.dispatcher = dispatcher
    self.ring = ring
    self.observerOverflow = observerOverflow
    self.trust = trust
    var services = HostServices(
      mode: mode, isMonitoring: isMonitoring, clock: clock, output: output, log: log,
      emissions: dispatcher.emissions, timers: EventTimers(clock: clock, mode: mode),
      cache: dispatcher.cache, dataDirectory: dataDirectory)
    services.workers = WorkerServices(program: worker, limits: workerLimits)
    services.operations = operations
    services.budgets = budgets
    self.services = services
  }

  deinit { endTrialWatch() }

  // MARK: Life

  /// Finds plugins, checks them, maps the good ones and creates them, in the order of their needs.
  ///
  /// Everything is checked before any code of any plugin runs. May be called again: for more plugins, or for new
  /// generations of those that were stopped.
  ///
  /// - Parameters:
  ///   - directories: folders with `*.so` files; a path that is a file is taken as a plugin.
  ///   - configurations: an object: plugins' names, and an object for each.
  ///   - defaults: as `configurations`, for plugins that have none there; names that no plugin has are no mistake.
  ///   - places: where the configurations were written, for messages.
  ///   - require: names of plugins that must be there.
  ///   - disable: names of plugins that are left out.
  ///   - only: names of the plugins that are not left out; empty for all.
  ///   - isolate: which plugins get a process of their own.
  public func load(
    directories: [String], configurations: JSONValue = .object([:]),
    defaults: JSONValue = .object([:]), places: ConfigurationPlaces? = nil, require: [String] = [],
    disable: Set<String> = [], only: Set<String> = [], isolate: IsolationPolicy = .none
  ) -> LoadReport {
    state.withLock { state in
      let plan = LoadPlan(
        PluginScanner.scan(directories, trust: trust), configurations: configurations,
        defaults: defaults, disable: disable, only: only, isolate: isolate,
        present: Self.living(state.plugins), places: places)
      var problems = plan.problems
      var loaded: [LoadedPlugin] = []
      for step in plan.steps {
        do throws(PluginProblem) {
          try Self.checkNeeds(step.candidate.manifest, step.candidate.file, state.plugins)
          let plugin = try LoadedPlugin(
            step.candidate, id: state.nextID, configuration: step.configuration,
            settings: step.candidate.grant.settings(
              for: step.candidate.manifest, run: services.votingMode), services: services,
            isIsolated: step.isIsolated)
          if !step.isIsolated { state.codes[plugin.sha256] = plugin.code }
          state.nextID += 1
          services.pluginNames.set(plugin.name, for: plugin.id)
          try plugin.create()
          loaded.append(plugin)
          state.plugins.append(plugin)
        } catch {
          problems.append(error)
        }
      }
      let names = Self.living(state.plugins)
      return LoadReport(
        loaded: loaded.map(\.info), problems: problems,
        missingRequired: require.filter { !names.contains($0) })
    }
  }

  /// Starts the plugins that were loaded; events reach their handlers from then on.
  ///
  /// - Returns: the plugins that could not be started, and why; the others run.
  public func start() -> [PluginProblem] {
    state.withLock { state in
      var problems: [PluginProblem] = []
      for plugin in state.plugins where plugin.info.state == .created {
        do throws(PluginProblem) {
          try Self.checkNeeds(plugin.manifest, plugin.file, state.plugins)
          try plugin.start(dispatcher: dispatcher, ring: ring, overflow: observerOverflow)
        } catch {
          problems.append(error)
        }
      }
      return problems
    }
  }

  /// Stops all plugins, the last started first; returns when none of their handlers runs any more.
  ///
  /// Observers first read everything that was published until then. Harmless when repeated; not from a handler.
  public func stop() {
    endTrialWatch()
    state.withLock { state in
      settleAll(&state)
      for plugin in state.plugins.reversed() { plugin.stop(dispatcher: dispatcher) }
      services.timers?.close()
      services.lanes.close()
    }
  }

  /// Names of the plugins that are not at their end; a name may be used again after that.
  static func living(_ plugins: [LoadedPlugin]) -> [String] {
    plugins.filter { $0.info.state == .created || $0.info.state == .running }.map(\.name)
  }

  /// What a plugin needs may have been found and checked, but have failed meanwhile.
  static func checkNeeds(
    _ manifest: PluginManifest, _ file: String, _ plugins: [LoadedPlugin]
  ) throws(PluginProblem) {
    for need in manifest.needs {
      let state = plugins.last { $0.name == need }?.info.state
      guard state == .created || state == .running else {
        throw PluginProblem(
          .pluginNeeds, file: file, plugin: manifest.name,
          found: "\"\(need)\" \(state.map { "is \($0.rawValue)" } ?? "could not be created")",
          needed: "plugin \"\(need)\"")
      }
    }
  }

  // MARK: What there is

  /// The version of the host, as plugins see it.
  public static let version = HostServices.version

  /// All plugins that were created, in the order of their start.
  public var plugins: [PluginInfo] {
    state.withLock { state in
      state.plugins.map { plugin in
        var info = plugin.info
        info.trial = state.trials[plugin.name].flatMap {
          $0.newer === plugin ? $0.trial.remaining : nil
        }
        return info
      }
    }
  }

  /// What became of every event for each plugin that observes: checked at the end of a run.
  public var observerAccounts: [SubscriberAccount] {
    state.withLock { $0.plugins.compactMap(\.observerAccount) }
  }

  /// What each handler that observes did so far; voters are in the dispatcher's statistics.
  public var observerStatistics: [HandlerStatistics] {
    state.withLock { $0.plugins.flatMap { $0.observer?.handlerStatistics() ?? [] } }
  }

  /// What the plugins' own counters and histograms have counted so far.
  public var metrics: [PluginMetric] {
    state.withLock { state in
      state.plugins.flatMap { plugin in
        plugin.metrics.values(pluginID: plugin.id, plugin: plugin.name)
          + plugin.blobs.metrics(plugin: plugin.name)
      }
    }
  }

  /// What every handler of the plugins did so far, voters first.
  var handlerStatistics: [HandlerStatistics] {
    dispatcher.handlerStatistics() + observerStatistics
  }

  /// The name of a plugin by its id; nil when unknown.
  ///
  /// Takes no lock.
  public func pluginName(_ id: UInt32) -> String? {
    services.pluginNames.name(of: id).map { String(cString: $0) }
  }

  /// The name of a handler by the id in its votes; nil when unknown.
  ///
  /// Takes no lock.
  public func handlerName(_ id: UInt32) -> String? {
    services.handlerNames.name(of: id).map { String(cString: $0) }
  }
}
