// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import KemonEvents
internal import Synchronization

// Unchecked: state is behind a lock, counters are atomics in raw memory that lives as long as the observer.
/// A thread of its own that reads the ring and calls handlers that only observe: it delays nobody.
public final class Observer: @unchecked Sendable {
  private let name: String
  private let ring: EventRing
  private let overflow: OverflowPolicy
  private let handlers: [Handler]
  private let counters: UnsafeMutablePointer<HandlerCounters>
  private let table: HandlerTable
  private let isStopping = Atomic<Bool>(false)
  private let state = Mutex(State())

  private struct State {
    var subscription: Subscription?
    var thread: WorkerThread?
    var lastAccount: SubscriberAccount?
  }

  /// Makes an observer; it joins the ring when it is started.
  ///
  /// - Parameters:
  ///   - name: for accounts and messages.
  ///   - overflow: what happens when it is a whole ring behind.
  ///   - handlers: called in this order; their answers are ignored.
  public init(named name: String, ring: EventRing, overflow: OverflowPolicy, handlers: [Handler]) {
    self.name = name
    self.ring = ring
    self.overflow = overflow
    self.handlers = handlers
    let counters = UnsafeMutablePointer<HandlerCounters>.allocate(
      capacity: max(handlers.count, 1))
    for index in handlers.indices { (counters + index).initialize(to: HandlerCounters()) }
    self.counters = counters
    table = HandlerTable(
      handlers.enumerated()
        .map { index, handler in
          (
            handler.kinds,
            HandlerEntry(
              function: handler.function, context: handler.context,
              filter: handler.filter?.program, counters: counters + index,
              pluginID: handler.pluginID, handlerID: UInt32(index), tier: .observe,
              priority: handler.priority, onFault: .abstain)
          )
        })
  }

  deinit {
    stop()
    table.deallocate()
    counters.deinitialize(count: handlers.count)
    counters.deallocate()
  }

  /// Joins the ring and starts the thread; harmless when it runs already.
  public func start() {
    state.withLock { state in
      guard state.thread == nil else { return }
      isStopping.store(false, ordering: .relaxed)
      let subscription = ring.subscribe(named: name, overflow: overflow)
      state.subscription = subscription
      state.thread = WorkerThread(named: name) { [unowned self] in run(subscription) }
    }
  }

  /// Reads everything that was published until now, ends the thread, leaves the ring, and returns.
  public func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    ring.wakeAll()
    state.withLock { state in
      state.thread?.join()
      state.thread = nil
      state.subscription?.cancel()
      if let subscription = state.subscription { state.lastAccount = subscription.account }
      state.subscription = nil
    }
  }

  /// What became of every event since ``start()``.
  public var account: SubscriberAccount {
    state.withLock { state in
      state.subscription?.account ?? state.lastAccount ?? SubscriberAccount(name: name)
    }
  }

  /// What each handler did so far.
  public func handlerStatistics() -> [HandlerStatistics] {
    handlers.enumerated()
      .map { index, handler in
        let counters = counters + index
        return HandlerStatistics(
          token: HandlerToken(id: 0), name: handler.name, pluginID: handler.pluginID,
          pluginName: handler.pluginName, isActive: true,
          calls: counters.pointee.calls.load(ordering: .relaxed),
          filtered: counters.pointee.filtered.load(ordering: .relaxed), denies: 0, wouldDenies: 0,
          faults: counters.pointee.faults.load(ordering: .relaxed), timedCalls: 0,
          timedNanoseconds: 0)
      }
  }

  /// Whether the calling thread is some observer's: it may wait, because nobody waits for it.
  public static var isCurrentThread: Bool { ckemon_thread_role() == UInt32(CKEMON_ROLE_OBSERVER) }

  // MARK: The thread

  private func run(_ subscription: Subscription) {
    ckemon_thread_set_role(UInt32(CKEMON_ROLE_OBSERVER))
    var goal: UInt64?
    while true {
      let taken = subscription.drain { show($0) }
      if isStopping.load(ordering: .acquiring) {
        // Only what was published before the stop: producers that go on cannot keep the thread alive.
        let end = goal ?? ring.published
        goal = end
        if taken == 0 || subscription.position >= end { return }
      } else if taken == 0 {
        subscription.wait(milliseconds: 100)
      }
    }
  }

  private func show(_ record: RecordView) -> Bool {
    var isDelivered = false
    var answer = kemon_verdict()
    for entry in table.row(record.kind) {
      if let filter = entry.filter, !filter.matches(record) {
        entry.counters.pointee.filtered.wrappingAdd(1, ordering: .relaxed)
        continue
      }
      answer.size = UInt32(MemoryLayout<kemon_verdict>.size)
      let status = entry.function(entry.context, record.event, &answer)
      entry.counters.pointee.calls.wrappingAdd(1, ordering: .relaxed)
      if status < 0 { entry.counters.pointee.faults.wrappingAdd(1, ordering: .relaxed) }
      isDelivered = true
    }
    return isDelivered
  }
}
