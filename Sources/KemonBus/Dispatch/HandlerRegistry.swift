// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

// Unchecked: behind the dispatcher's lock.
/// Every handler that was ever added to a dispatcher, in the order of registration.
///
/// The counters outlive the handler, so that its statistics can still be read.
struct HandlerRegistry: ~Copyable, @unchecked Sendable {
  struct Registered {
    let token: HandlerToken
    var handler: Handler
    let counters: HandlerCounters
    var standing: HandlerStanding
    /// Events that were shown to it in tables that are gone.
    var asked: UInt64 = 0
    var isActive = true
    var isEnabled = true
    /// The table that is about to go may have called it.
    var wasInTable = false
  }

  private var nextID: UInt32 = 1
  private var handlers: [Registered] = []
  /// What handlers were before they changed: the table that is about to go may use it.
  private var changed: [Registered] = []

  /// Adds a handler.
  ///
  /// - Parameter standing: for a handler that brings none.
  mutating func add(
    _ handler: Handler, standing: @autoclosure () -> HandlerStanding
  ) -> HandlerToken {
    let token = HandlerToken(id: nextID)
    nextID += 1
    handlers.append(
      Registered(
        token: token, handler: handler, counters: HandlerCounters.allocate(),
        standing: handler.standing ?? standing()))
    return token
  }

  /// Changes a handler that is registered; false when there is none.
  @discardableResult
  mutating func change(_ token: HandlerToken, _ body: (inout Registered) -> Void) -> Bool {
    guard let index = handlers.firstIndex(where: { $0.token == token && $0.isActive }) else {
      return false
    }
    changed.append(handlers[index])
    body(&handlers[index])
    return true
  }

  /// The standing of a handler that is registered; nil when there is none.
  func standing(_ token: HandlerToken) -> HandlerStanding? {
    handlers.first { $0.token == token && $0.isActive }?.standing
  }

  /// The standings of all handlers that are registered.
  var standings: [HandlerStanding] { handlers.filter(\.isActive).map(\.standing) }

  /// What goes into the table.
  var entries: [(kinds: [EventKind], entry: HandlerEntry)] {
    handlers.filter { $0.isActive && $0.isEnabled }
      .map { registered in
        let handler = registered.handler
        return (
          handler.kinds,
          HandlerEntry(
            function: handler.function, context: handler.context,
            filter: handler.filter?.program, counters: registered.counters,
            pluginID: handler.pluginID, handlerID: registered.token.id, tier: handler.tier,
            priority: handler.priority, onFault: handler.onFault, onTimeout: handler.onTimeout,
            isStandIn: handler.isStandIn, cache: handler.cache, modifiable: handler.modifiable,
            mutes: handler.mutes.map { .passUnretained($0) },
            // The host's own rules are always heard.
            standing: handler.tier == .guard ? nil : .passUnretained(registered.standing))
        )
      }
  }

  /// Keeps what a table has counted that is about to go; nobody is inside it any more.
  mutating func fold(_ table: HandlerTable) {
    for index in handlers.indices where handlers[index].isActive || handlers[index].wasInTable {
      handlers[index].asked &+= table.asked(handlers[index].token.id)
      handlers[index].wasInTable = handlers[index].isActive && handlers[index].isEnabled
      if !handlers[index].isActive { handlers[index].handler.owner = nil }
    }
    changed.removeAll()
  }

  /// What every handler did, by its counters and those of the present table.
  func statistics(_ table: HandlerTable) -> [HandlerStatistics] {
    handlers.map { entry in
      // In this order: a filter says no after the event was shown.
      let filtered = entry.counters.total(.filtered)
      let asked = entry.asked &+ table.asked(entry.token.id)
      return HandlerStatistics(
        token: entry.token, handler: entry.handler, counters: entry.counters,
        calls: asked &- min(filtered, asked), isActive: entry.isActive,
        isEnabled: entry.isActive && entry.isEnabled, standing: entry.standing.report)
    }
  }

  func deallocateCounters() {
    for entry in handlers { entry.counters.deallocate() }
  }
}

extension HandlerStatistics {
  init(
    token: HandlerToken, handler: Handler, counters: HandlerCounters, calls: UInt64,
    isActive: Bool, isEnabled: Bool, standing: HandlerStanding.Report? = nil
  ) {
    self.init(
      token: token, name: handler.name, pluginID: handler.pluginID,
      pluginName: handler.pluginName, isActive: isActive, isEnabled: isEnabled,
      calls: calls, filtered: counters.total(.filtered),
      denies: counters.total(.denies), wouldDenies: counters.total(.wouldDenies),
      faults: counters.total(.faults), timeouts: counters.total(.timeouts),
      timedCalls: counters.total(.timedCalls),
      timedNanoseconds: counters.total(.timedNanoseconds), standing: standing)
  }
}
