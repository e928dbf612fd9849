// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

// Unchecked: `table` is atomic and reclaimed by `quiescence`; the registry is behind a lock.
/// Calls the handlers of an event where it happens, joins their votes, and publishes the record with them.
///
/// Any number of threads may dispatch, each with a ``RecordBuilder`` of its own. The handler table is immutable and
/// replaced atomically, so that handlers come and go while events flow.
public final class Dispatcher: @unchecked Sendable {
  let ring: EventRing
  let clock: EventClock
  let table: Atomic<UInt>
  let quiescence = Quiescence()
  let registry = Mutex(HandlerRegistry())

  /// What handlers together answered to equal events.
  public let cache: VerdictCache
  /// Publishes what plugins emit.
  public let emissions: Emissions

  /// Makes a dispatcher that publishes to a ring.
  ///
  /// - Parameters:
  ///   - clock: gives records their time when they have none yet.
  ///   - cacheCapacity: how many answers are remembered; only those that all handlers of a kind let be.
  public init(ring: EventRing, clock: EventClock = EventClock(), cacheCapacity: Int = 4096) {
    self.ring = ring
    self.clock = clock
    emissions = Emissions(ring: ring)
    cache = VerdictCache(capacity: cacheCapacity)
    table = Atomic(HandlerTable([]).address)
  }

  deinit {
    for number in 1...Quiescence.seatCount { BallotBox.leaveSeat(quiescence.seat(number)) }
    HandlerTable(address: table.load(ordering: .acquiring)).deallocate()
    registry.withLock { $0.deallocateCounters() }
  }

  // MARK: Handlers

  /// Registers handlers; events see all of them or none.
  @discardableResult
  public func add(_ handlers: [Handler]) -> [HandlerToken] {
    registry.withLock { registry in
      let tokens = handlers.map { handler in
        handler.standing?.attach(to: cache)
        return registry.add(handler, standing: standing())
      }
      publish(&registry)
      return tokens
    }
  }

  /// Removes handlers and returns after the last call of them has left.
  ///
  /// Not from inside a handler: it would wait for itself. The same holds for ``setEnabled(_:_:)`` and
  /// ``replace(_:with:)``.
  public func remove(_ tokens: [HandlerToken]) {
    registry.withLock { registry in
      for token in tokens { registry.change(token) { $0.isActive = false } }
      publish(&registry)
    }
  }

  /// Lets a handler be called again, or not be called for a while; returns after the last call has left.
  ///
  /// - Returns: false when there is no such handler.
  @discardableResult
  public func setEnabled(_ isEnabled: Bool, _ token: HandlerToken) -> Bool {
    registry.withLock { registry in
      let isKnown = registry.change(token) { $0.isEnabled = isEnabled }
      if isKnown { publish(&registry) }
      return isKnown
    }
  }

  /// Puts another handler into the place of one, with its token and what was counted so far.
  ///
  /// Every event sees the one or the other; returns after the last call of the old one has left.
  ///
  /// - Returns: false when there is no such handler.
  @discardableResult
  public func replace(_ token: HandlerToken, with handler: Handler) -> Bool {
    registry.withLock { registry in
      handler.standing?.attach(to: cache)
      let isKnown = registry.change(token) { registered in
        registered.handler = handler
        registered.standing = handler.standing ?? standing()
      }
      if isKnown { publish(&registry) }
      return isKnown
    }
  }

  /// Forgets the faults of a handler, and ends its quarantine.
  ///
  /// - Returns: false when there is no such handler.
  @discardableResult
  public func resetStanding(_ token: HandlerToken) -> Bool {
    guard let standing = registry.withLock({ $0.standing(token) }) else { return false }
    standing.reset()
    return true
  }

  /// Forgets the faults of all handlers.
  public func resetStandings() {
    for standing in registry.withLock({ $0.standings }) { standing.reset() }
  }

  func standing() -> HandlerStanding {
    let standing = HandlerStanding(clock: { [clock] in clock.steady() })
    standing.attach(to: cache)
    return standing
  }

  /// Returns when every call of a handler has left that is running now; not from inside a handler.
  public func waitForCalls() { quiescence.waitForReaders() }

  /// Swaps the table, forgets remembered answers, and waits for those who are inside the old table.
  func publish(_ registry: inout HandlerRegistry) {
    let new = HandlerTable(registry.entries)
    let old = table.exchange(new.address, ordering: .sequentiallyConsistent)
    // Behind the swap: who reads the new generation sees the new table.
    cache.flush(.handlersChanged)
    quiescence.waitForReaders()
    registry.fold(HandlerTable(address: old))
    HandlerTable(address: old).deallocate()
  }

  /// What every handler did so far, in the order of registration; handlers that are gone included.
  public func handlerStatistics() -> [HandlerStatistics] {
    registry.withLock { $0.statistics(HandlerTable(address: table.load(ordering: .acquiring))) }
  }
}
