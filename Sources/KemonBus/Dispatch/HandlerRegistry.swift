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
    var isActive = true
    var isEnabled = true
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

  var statistics: [HandlerStatistics] {
    handlers.map { entry in
      HandlerStatistics(
        token: entry.token, handler: entry.handler, counters: entry.counters,
        isActive: entry.isActive, isEnabled: entry.isActive && entry.isEnabled)
    }
  }

  func deallocateCounters() {
    for entry in handlers { entry.counters.deallocate() }
  }
}

extension HandlerStatistics {
  init(
    token: HandlerToken, handler: Handler, counters: HandlerCounters, isActive: Bool,
    isEnabled: Bool
  ) {
    self.init(
      token: token, name: handler.name, pluginID: handler.pluginID,
      pluginName: handler.pluginName, isActive: isActive, isEnabled: isEnabled,
      calls: counters.total(.calls), filtered: counters.total(.filtered),
      denies: counters.total(.denies), wouldDenies: counters.total(.wouldDenies),
      faults: counters.total(.faults), timedCalls: counters.total(.timedCalls),
      timedNanoseconds: counters.total(.timedNanoseconds))
  }
}
