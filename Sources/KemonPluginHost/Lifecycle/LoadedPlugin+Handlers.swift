// SPDX-License-Identifier: Apache-2.0

import KemonBus
import Synchronization

/// How events reach a plugin's handlers: voters in the dispatcher, observers behind the ring.
extension LoadedPlugin {
  /// Lets events reach the handlers of a plugin that comes anew.
  func goLive(
    dispatcher: Dispatcher, ring: EventRing, overflow: OverflowPolicy
  ) throws(RingError) {
    resolveKinds()
    let observer = makeObserver(ring: ring, overflow: overflow)
    // Before the voters, so that it sees everything that they vote on.
    try observer?.start()
    var change = HandlerChange()
    let voters = voters()
    change.added = voters
    change.enablesAdded = settings.isEnabled
    adopt(dispatcher.apply(change), of: voters)
    blobs.start(dispatcher)
    state.withLock { $0.observer = observer }
  }

  /// Puts the handlers into the place of the running generation's, which is not called any more afterwards.
  ///
  /// Voters change with one replacement of the dispatcher's table; handlers that only the older one has wait there for
  /// ``settle(after:dispatcher:)`` or ``takeBack(from:dispatcher:)``. Observers go on where the older one's stand.
  ///
  /// - Parameter trial: counts the calls; nil when there is none.
  func takeOver(
    from older: LoadedPlugin, trial: Trial?, dispatcher: Dispatcher, ring: EventRing,
    overflow: OverflowPolicy
  ) throws(RingError) {
    resolveKinds()
    let past = older.state.withLock { ($0.tokens, $0.observer) }
    let observer = makeObserver(ring: ring, overflow: overflow, continuing: past.1, trial: trial)
    if let observer {
      if let place = past.1 {
        try observer.start(inPlaceOf: place)
      } else {
        try observer.start()
      }
    }
    var change = HandlerChange()
    change.enablesAdded = settings.isEnabled
    var kept: [String: HandlerToken] = [:]
    for voter in voters(trial) {
      if let token = past.0[voter.name] {
        change.replaced[token] = voter
        kept[voter.name] = token
      } else {
        change.added.append(voter)
      }
    }
    // The older one may come back: it hears of processes that end meanwhile.
    for (name, token) in past.0 where kept[name] == nil && name != Self.processWatchName {
      change.enabled[token] = false
    }
    let tokens = dispatcher.apply(change)
    // Its timers would do what the new one's do.
    services.timers?.pause(older.instanceNumber)
    older.state.withLock { $0.isSuperseded = true }
    blobs.start(dispatcher)
    state.withLock { state in
      state.observer = observer
      state.tokens = kept
    }
    adopt(tokens, of: change.added)
  }

  /// Ends the trial well: handlers that only the older generation had are gone, nothing is counted any more.
  func settle(after older: LoadedPlugin, dispatcher: Dispatcher) {
    let mine = state.withLock { $0.tokens }
    var change = HandlerChange()
    for voter in voters() {
      if let token = mine[voter.name] { change.replaced[token] = voter }
    }
    let shared = Set(mine.values)
    older.state.withLock { older in
      change.removed = older.tokens.values.filter { !shared.contains($0) }
      older.tokens = [:]
      // Its place in the ring is this one's, unless nobody here observes: then it reads on until it is stopped.
      if state.withLock({ $0.observer != nil }) { older.observer = nil }
    }
    change.keepsStandings = true
    dispatcher.apply(change)
  }

  /// Takes everything back that a newer generation has taken over.
  func takeBack(from newer: LoadedPlugin, dispatcher: Dispatcher) {
    let (mine, observer, settings) = state.withLock { ($0.tokens, $0.observer, $0.settings) }
    var change = HandlerChange()
    for voter in voters() {
      guard let token = mine[voter.name] else { continue }
      change.replaced[token] = voter
      change.enabled[token] = Self.isEnabled(voter, settings)
    }
    let shared = Set(mine.values)
    newer.state.withLock { newer in
      change.removed = newer.tokens.values.filter { !shared.contains($0) }
      newer.tokens = [:]
    }
    dispatcher.apply(change)
    state.withLock { $0.isSuperseded = false }
    newer.state.withLock { $0.isSuperseded = true }
    setMaking(true)
    services.timers?.start(instanceNumber)
    services.typed.offerAgain(owner: instanceNumber)
    guard let observer, let place = newer.state.withLock({ $0.observer }) else { return }
    // It has a place that it gives away, so there is nothing to be refused.
    try? observer.start(inPlaceOf: place)
    newer.state.withLock { $0.observer = nil }
  }

  // MARK: Settings

  var settings: PluginSettings { state.withLock { $0.settings } }

  /// Applies what the operator has decided, at once for all handlers.
  ///
  /// - Parameter trial: the one that is on.
  func apply(_ settings: PluginSettings, trial: Trial?, dispatcher: Dispatcher) {
    let (tokens, observer) = state.withLock { state in
      state.settings = settings
      return (state.tokens, state.observer)
    }
    var change = HandlerChange()
    for voter in voters(trial) {
      guard let token = tokens[voter.name] else { continue }
      change.replaced[token] = voter
      change.enabled[token] = Self.isEnabled(voter, settings)
    }
    observer?.setMuted(!settings.isEnabled)
    change.keepsStandings = true
    dispatcher.apply(change)
  }

  /// Processes end while a plugin is disabled, too.
  private static func isEnabled(_ voter: KemonBus.Handler, _ settings: PluginSettings) -> Bool {
    settings.isEnabled || voter.name == processWatchName
  }

  // MARK: Making them

  /// By now every plugin has declared its kinds.
  private func resolveKinds() {
    state.withLock { state in
      for index in state.requests.indices { state.requests[index].resolveKinds(except: owns) }
    }
  }

  private func requests(voting: Bool) -> [HandlerRequest] {
    state.withLock { $0.requests }.filter { ($0.role != .observer) == voting }
  }

  /// The handlers that the dispatcher calls, and the host's own that looks after what it keeps for them.
  private func voters(_ trial: Trial? = nil) -> [Handler] {
    requests(voting: true).map { handler($0, trial) } + processWatch()
  }

  private func handler(_ request: HandlerRequest, _ trial: Trial? = nil) -> Handler {
    var handler = request.handler(pluginID: id, pluginName: name, settings)
    handler.mutes = mutes.setToAsk(for: request.token)
    handler.modifiable = modifiable
    handler = limited(handler, request)
    guard let trial else { return handler }
    let candidate = Trial.Candidate(handler, votes: request.role != .observer, trial)
    handler.function = Trial.call
    handler.context = Unmanaged.passUnretained(candidate).toOpaque()
    handler.owner = candidate
    return handler
  }

  private func makeObserver(
    ring: EventRing, overflow: OverflowPolicy, continuing older: Observer? = nil,
    trial: Trial? = nil
  ) -> Observer? {
    let requests = requests(voting: false)
    guard !requests.isEmpty else { return nil }
    let observer = Observer(
      named: name, ring: ring, overflow: overflow, handlers: requests.map { handler($0, trial) },
      continuing: older)
    observer.setMuted(!settings.isEnabled)
    return observer
  }

  private func adopt(_ tokens: [HandlerToken], of voters: [Handler]) {
    for (token, voter) in zip(tokens, voters) {
      services.handlerNames.set(voter.name, for: token.id)
      state.withLock { $0.tokens[voter.name] = token }
    }
  }
}
