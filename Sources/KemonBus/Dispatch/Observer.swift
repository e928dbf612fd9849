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
  private let counters: [HandlerCounters]
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
    let counters = handlers.map { _ in HandlerCounters.allocate() }
    self.counters = counters
    table = HandlerTable(
      handlers.enumerated()
        .map { index, handler in
          (
            handler.kinds,
            HandlerEntry(
              function: handler.function, context: handler.context,
              filter: handler.filter?.program, counters: counters[index],
              pluginID: handler.pluginID, handlerID: UInt32(index), tier: .observe,
              priority: handler.priority, onFault: .abstain,
              mutes: handler.mutes.map { .passUnretained($0) })
          )
        })
  }

  deinit {
    stop()
    table.deallocate()
    for each in counters { each.deallocate() }
  }

  /// Joins the ring and starts the thread; harmless when it runs already.
  ///
  /// - Throws: ``RingError/Code/tooManySubscribers``.
  public func start() throws(RingError) {
    try state.withLock { state throws(RingError) in
      guard state.thread == nil else { return }
      isStopping.store(false, ordering: .relaxed)
      let subscription = try ring.subscribe(named: name, overflow: overflow)
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
    zip(handlers, counters)
      .map { handler, counters in
        HandlerStatistics(
          token: HandlerToken(id: 0), handler: handler, counters: counters,
          calls: counters.total(.calls), isActive: true, isEnabled: true)
      }
  }

  /// Whether the calling thread is some observer's: it may wait, because nobody waits for it.
  public static var isCurrentThread: Bool { ckemon_thread_role() == UInt32(CKEMON_ROLE_OBSERVER) }

  // MARK: The thread

  private func run(_ subscription: Subscription) {
    ckemon_thread_set_role(UInt32(CKEMON_ROLE_OBSERVER))
    let thread = HandlerCounters.thread()
    var goal: UInt64?
    while true {
      let taken = subscription.drain { show($0, thread) }
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

  private func show(_ record: RecordView, _ thread: Int) -> Bool {
    var isDelivered = false
    var answer = kemon_verdict()
    guard let row = table.row(record.kind) else { return false }
    Emissions.begin(record)
    let crumb = HandlerCrumb(thread: thread)
    crumb.begin(record.event)
    defer { crumb.end() }
    for index in 0..<row.count {
      let entry = row.entries[index]
      if entry.isKeptAway(record) {
        entry.counters.add(.filtered, on: thread)
        continue
      }
      answer.size = UInt32(MemoryLayout<kemon_verdict>.size)
      crumb.set(entry.owner)
      let status = entry.function(entry.context, record.event, &answer)
      entry.counters.add(.calls, on: thread)
      if status < 0 { entry.counters.add(.faults, on: thread) }
      isDelivered = true
    }
    return isDelivered
  }
}
