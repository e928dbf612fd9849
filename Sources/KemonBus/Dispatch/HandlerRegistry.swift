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
    /// Events that were shown to it in tables that are gone.
    var asked: UInt64 = 0
    var isActive = true
    var isEnabled = true
    /// The table that is about to go may have called it.
    var wasInTable = false
  }

  private var nextID: UInt32 = 1
  private var handlers: [Registered] = []

  mutating func add(_ handler: Handler) -> HandlerToken {
    let token = HandlerToken(id: nextID)
    nextID += 1
    handlers.append(
      Registered(token: token, handler: handler, counters: HandlerCounters.allocate()))
    return token
  }

  /// Changes a handler that is registered; false when there is none.
  @discardableResult
  mutating func change(_ token: HandlerToken, _ body: (inout Registered) -> Void) -> Bool {
    guard let index = handlers.firstIndex(where: { $0.token == token && $0.isActive }) else {
      return false
    }
    body(&handlers[index])
    return true
  }

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
            priority: handler.priority, onFault: handler.onFault, cache: handler.cache)
        )
      }
  }

  /// Keeps what a table has counted that is about to go; nobody is inside it any more.
  mutating func fold(_ table: HandlerTable) {
    for index in handlers.indices where handlers[index].isActive || handlers[index].wasInTable {
      handlers[index].asked &+= table.asked(handlers[index].token.id)
      handlers[index].wasInTable = handlers[index].isActive && handlers[index].isEnabled
    }
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
        isEnabled: entry.isActive && entry.isEnabled)
    }
  }

  func deallocateCounters() {
    for entry in handlers { entry.counters.deallocate() }
  }
}

extension HandlerStatistics {
  init(
    token: HandlerToken, handler: Handler, counters: HandlerCounters, calls: UInt64,
    isActive: Bool, isEnabled: Bool
  ) {
    self.init(
      token: token, name: handler.name, pluginID: handler.pluginID,
      pluginName: handler.pluginName, isActive: isActive, isEnabled: isEnabled,
      calls: calls, filtered: counters.total(.filtered),
      denies: counters.total(.denies), wouldDenies: counters.total(.wouldDenies),
      faults: counters.total(.faults), timedCalls: counters.total(.timedCalls),
      timedNanoseconds: counters.total(.timedNanoseconds))
  }
}
