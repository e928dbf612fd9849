// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
internal import Synchronization

// Unchecked: `table` is atomic and reclaimed by `quiescence`; the registry is behind a lock.
/// Calls the handlers of an event where it happens, joins their votes, and publishes the record with them.
///
/// Any number of threads may dispatch, each with a ``RecordBuilder`` of its own. The handler table is immutable and
/// replaced atomically, so that handlers come and go while events flow.
public final class Dispatcher: @unchecked Sendable {
  private let ring: EventRing
  private let clock: EventClock
  private let table: Atomic<UInt>
  private let quiescence = Quiescence()
  private let registry = Mutex(Registry())

  private struct Registry {
    var nextID: UInt32 = 1
    var handlers: [Registered] = []
  }

  // The counters outlive the handler, so that its statistics can still be read.
  private struct Registered: @unchecked Sendable {
    let token: HandlerToken
    let handler: Handler
    let counters: UnsafeMutablePointer<HandlerCounters>
    var isActive = true
  }

  /// Makes a dispatcher that publishes to a ring.
  ///
  /// - Parameter clock: gives records their time when they have none yet.
  public init(ring: EventRing, clock: EventClock = EventClock()) {
    self.ring = ring
    self.clock = clock
    table = Atomic(HandlerTable([]).address)
  }

  deinit {
    HandlerTable(address: table.load(ordering: .acquiring)).deallocate()
    registry.withLock { registry in
      for entry in registry.handlers {
        entry.counters.deinitialize(count: 1)
        entry.counters.deallocate()
      }
    }
  }

  // MARK: Handlers

  /// Registers handlers; events see all of them or none.
  @discardableResult
  public func add(_ handlers: [Handler]) -> [HandlerToken] {
    registry.withLock { registry in
      let added = handlers.map { handler in
        let counters = UnsafeMutablePointer<HandlerCounters>.allocate(capacity: 1)
        counters.initialize(to: HandlerCounters())
        defer { registry.nextID += 1 }
        return Registered(
          token: HandlerToken(id: registry.nextID), handler: handler, counters: counters)
      }
      registry.handlers += added
      publishTable(registry.handlers)
      return added.map(\.token)
    }
  }

  /// Removes handlers and returns after the last call of them has left.
  ///
  /// Not from inside a handler: it would wait for itself.
  public func remove(_ tokens: [HandlerToken]) {
    let gone = Set(tokens)
    registry.withLock { registry in
      for index in registry.handlers.indices where gone.contains(registry.handlers[index].token) {
        registry.handlers[index].isActive = false
      }
      publishTable(registry.handlers)
    }
  }

  private func publishTable(_ handlers: [Registered]) {
    let new = HandlerTable(handlers.filter(\.isActive).map { ($0.handler.kinds, entry($0)) })
    let old = table.exchange(new.address, ordering: .sequentiallyConsistent)
    quiescence.waitForReaders()
    HandlerTable(address: old).deallocate()
  }

  private func entry(_ registered: Registered) -> HandlerEntry {
    let handler = registered.handler
    return HandlerEntry(
      function: handler.function, context: handler.context, filter: handler.filter?.program,
      counters: registered.counters, pluginID: handler.pluginID, handlerID: registered.token.id,
      tier: handler.tier, priority: handler.priority, onFault: handler.onFault)
  }

  /// What every handler did so far, in the order of registration; handlers that are gone included.
  public func handlerStatistics() -> [HandlerStatistics] {
    registry.withLock { registry in
      registry.handlers.map { entry in
        let counters = entry.counters
        return HandlerStatistics(
          token: entry.token, name: entry.handler.name, pluginID: entry.handler.pluginID,
          pluginName: entry.handler.pluginName, isActive: entry.isActive,
          calls: counters.pointee.calls.load(ordering: .relaxed),
          filtered: counters.pointee.filtered.load(ordering: .relaxed),
          denies: counters.pointee.denies.load(ordering: .relaxed),
          wouldDenies: counters.pointee.wouldDenies.load(ordering: .relaxed),
          faults: counters.pointee.faults.load(ordering: .relaxed),
          timedCalls: counters.pointee.timedCalls.load(ordering: .relaxed),
          timedNanoseconds: counters.pointee.timedNanoseconds.load(ordering: .relaxed))
      }
    }
  }

  // MARK: Events

  /// Asks the handlers of the record's kind, writes their votes and the verdict into the record, and publishes it.
  ///
  /// - Parameter builder: holds a record with its payload; sealed and numbered here.
  /// - Returns: what the hook has to enforce.
  @discardableResult
  public func dispatch(_ builder: inout RecordBuilder) -> Verdict {
    builder.seal()
    if builder.header.pointee.time_ns == 0 { builder.header.pointee.time_ns = clock.now() }
    let ticket = quiescence.enter()
    let row = HandlerTable(address: table.load(ordering: .acquiring)).row(builder.view.kind)
    let verdict = row.isEmpty ? Verdict() : Ballot.hold(row, &builder)
    quiescence.leave(ticket)
    ring.publish(&builder)
    return verdict
  }
}
