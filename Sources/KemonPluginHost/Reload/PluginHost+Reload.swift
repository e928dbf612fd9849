// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonPlatform
public import KemonText

/// What a reload did.
public struct ReloadReport: Sendable {
  /// The new generation.
  public let plugin: PluginInfo
  /// The generation that it took over from.
  public let previous: PluginInfo
  /// Whether the file is unchanged: then its code is not mapped again, and its static variables keep their values.
  public let reusesCode: Bool
  /// Bytes of state that the old generation has left to the new one; nil when it saves none.
  public let stateBytes: Int?
}

extension PluginHost {
  /// How many calls of a new generation's handlers are watched, unless something else is said.
  public static let trialEvents = 1000

  /// Replaces a running plugin by a new generation of it, made from its file as it is now; no event is lost or seen
  /// twice.
  ///
  /// The file is copied, hashed and checked, mapped unless its bytes are known, created with what the old generation
  /// saves, and started; then it takes the handlers over at once. Whatever fails on the way leaves the old one as it
  /// was. For its first events the new generation is on trial: when one of its handlers fails, the old one comes back.
  ///
  /// Any thread but a handler's.
  ///
  /// - Parameters:
  ///   - name: the plugin's name.
  ///   - configuration: another one; nil for the present one.
  ///   - trialEvents: how many calls are watched; 0 to let the old generation go at once.
  /// - Throws: why nothing has changed.
  @discardableResult
  public func reload(
    _ name: String, configuration: JSONValue? = nil, trialEvents: Int = trialEvents
  ) throws(PluginProblem) -> ReloadReport {
    try state.withLock { state throws(PluginProblem) in
      _ = try running(name, state)
      settle(name, &state)
      // Deciding about a trial may have brought an older one back.
      let (index, older) = try running(name, state)
      let given = configuration ?? older.configuration.given
      let step = try plan(older, given, state)
      var settings = step.candidate.grant.settings(
        for: step.candidate.manifest, run: services.votingMode)
      settings.mode = older.settings.mode
      settings.isEnabled = older.settings.isEnabled
      let newer = try LoadedPlugin(
        step.candidate, id: older.id, after: older,
        code: state.codes[step.candidate.image.sha256], configuration: step.configuration,
        settings: settings, services: services, isIsolated: step.isIsolated)
      let isKnown = state.codes[newer.sha256] != nil
      if !step.isIsolated { state.codes[newer.sha256] = newer.code }
      let trial = trialEvents > 0 ? Trial(events: trialEvents, wake: trialWake) : nil
      let saved = try replace(older, by: newer, trial)
      state.plugins[index] = newer
      let previous = older.info
      let pending = trial.map { PendingTrial(newer: newer, older: older, trial: $0) }
      if let pending {
        state.trials[name] = pending
        startTrialWatch(&state)
      } else {
        newer.settle(after: older, dispatcher: dispatcher)
        older.stop(dispatcher: dispatcher)
        older.forget()
      }
      var info = newer.info
      info.trial = trial?.remaining
      return ReloadReport(
        plugin: info, previous: previous, reusesCode: isKnown && !step.isIsolated,
        stateBytes: saved?.count)
    }
  }

  /// The running plugin of a name, and its place.
  func running(_ name: String, _ state: State) throws(PluginProblem) -> (Int, LoadedPlugin) {
    let index = state.plugins.lastIndex { $0.name == name && $0.info.state == .running }
    if let index {
      return (index, state.plugins[index])
    }
    let names = state.plugins.filter { $0.info.state == .running }.map(\.name)
    let known = state.plugins.last { $0.name == name }
    throw PluginProblem(
      .runningNone, file: known?.file ?? "", plugin: name,
      found: known.map { "it is \($0.info.state.rawValue)" } ?? "\"\(name)\"",
      needed: names.isEmpty
        ? "a running plugin" : "one of \(names.sorted().joined(separator: ", "))")
  }

  /// Looks at a plugin's file as it is now, as at a new one's.
  private func plan(
    _ older: LoadedPlugin, _ configuration: JSONValue, _ state: State
  ) throws(PluginProblem) -> LoadPlan.Step {
    let scan = PluginScanner.scan([older.file], trust: trust)
    if let name = scan.candidates.first?.manifest.name, name != older.name {
      throw PluginProblem(
        .reloadName, file: older.file, plugin: older.name, found: "\"\(name)\"",
        needed: "\"\(older.name)\"")
    }
    let plan = LoadPlan(
      scan, configurations: .object([older.name: configuration]), defaults: .object([:]),
      disable: [], only: [], isolate: older.worker == nil ? .none : .all,
      present: Self.living(state.plugins).filter { $0 != older.name })
    guard let step = plan.steps.first else {
      throw PluginProblem(
        together: plan.problems, .fileOpen, file: older.file, plugin: older.name)
    }
    return step
  }

  /// Lets a new generation take over from a running one, or throws and leaves the running one as it was.
  ///
  /// - Returns: what the older one has saved.
  private func replace(
    _ older: LoadedPlugin, by newer: LoadedPlugin, _ trial: Trial?
  ) throws(PluginProblem) -> [UInt8]? {
    // What it saves must hold for what its successor will see first: its observer stands still from here on. Without
    // that need it stands still for the take-over alone.
    let observer = older.savesState ? older.observer : nil
    observer?.pause()
    do throws(PluginProblem) {
      let saved = try older.save()
      try newer.create(from: saved, version: older.manifest.stateVersion)
      try newer.start { () throws(RingError) in
        try newer.takeOver(
          from: older, trial: trial, dispatcher: dispatcher, ring: ring,
          overflow: observerOverflow)
      }
      return saved
    } catch {
      newer.forget()
      services.typed.offerAgain(owner: older.instanceNumber)
      // It has its place still, so there is nothing to be refused.
      try? observer?.start()
      throw error
    }
  }
}
