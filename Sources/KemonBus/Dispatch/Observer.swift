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
  private let counters: [SharedCounters]
  private let table: HandlerTable
  private let isStopping = Atomic<Bool>(false)
  let isPausing = Atomic<Bool>(false)
  let isMuted = Atomic<Bool>(false)
  /// Events that no handler could be called for; see ``LossStages/unasked``.
  private let unasked: Atomic<UInt64>
  let state = Mutex(State())

  struct State {
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
  ///   - older: its handlers' counts go on in those of the same name.
  public init(
    named name: String, ring: EventRing, overflow: OverflowPolicy, handlers: [Handler],
    continuing older: Observer? = nil
  ) {
    self.name = name
    self.ring = ring
    self.overflow = overflow
    self.handlers = handlers
    // The account is that of the place in the ring, which goes on.
    unasked = Atomic(older?.unasked.load(ordering: .relaxed) ?? 0)
    let counters = handlers.map { older?.sharedCounters(of: $0.name) ?? SharedCounters() }
    self.counters = counters
    table = HandlerTable(
      handlers.enumerated()
        .map { index, handler in
          (
            handler.kinds,
            HandlerEntry(
              function: handler.function, context: handler.context,
              filter: handler.filter?.program, counters: counters[index].counters,
              pluginID: handler.pluginID, handlerID: UInt32(index), tier: .observe,
              priority: handler.priority, onFault: .abstain,
              mutes: handler.mutes.map { .passUnretained($0) })
          )
        })
  }

  deinit {
    stop()
    table.deallocate()
  }

  private func sharedCounters(of handler: String) -> SharedCounters? {
    handlers.firstIndex { $0.name == handler }.map { counters[$0] }
  }

  /// Joins the ring and starts the thread; harmless when it runs already.
  ///
  /// After ``pause()`` it goes on where it was.
  ///
  /// - Throws: ``RingError/Code/tooManySubscribers``.
  public func start() throws(RingError) {
    try state.withLock { state throws(RingError) in
      guard state.thread == nil else { return }
      if let place = state.subscription { return startThread(&state, at: place) }
      let subscription = try ring.subscribe(named: name, overflow: overflow)
      unasked.store(0, ordering: .relaxed)
      startThread(&state, at: subscription)
    }
  }

  func startThread(_ state: inout State, at subscription: Subscription) {
    isStopping.store(false, ordering: .relaxed)
    isPausing.store(false, ordering: .relaxed)
    state.subscription = subscription
    state.thread = WorkerThread(named: name) { [unowned self] in run(subscription) }
  }

  /// Ends the thread, which calls no handler any more when this returns.
  func endThread(_ state: inout State) {
    ring.wakeAll()
    state.thread?.join()
    state.thread = nil
  }

  /// Reads everything that was published until now, ends the thread, leaves the ring, and returns.
  public func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    state.withLock { state in
      endThread(&state)
      state.subscription?.cancel()
      if let subscription = state.subscription { state.lastAccount = subscription.account }
      state.subscription = nil
    }
  }

  /// What became of every event since ``start()``.
  public var account: SubscriberAccount {
    state.withLock { state in
      var account =
        state.subscription?.account ?? state.lastAccount ?? SubscriberAccount(name: name)
      let unasked = unasked.load(ordering: .relaxed)
      account.delivered -= min(unasked, account.delivered)
      account.lost += unasked
      account.losses.unasked = unasked
      return account
    }
  }

  /// What each handler did so far.
  public func handlerStatistics() -> [HandlerStatistics] {
    let isMuted = isMuted.load(ordering: .relaxed)
    return zip(handlers, counters)
      .map { handler, counters in
        HandlerStatistics(
          token: HandlerToken(id: 0), handler: handler, counters: counters.counters,
          calls: counters.counters.total(.calls), isActive: true, isEnabled: !isMuted)
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
      // A pause finds its place behind whole batches.
      if isPausing.load(ordering: .acquiring) { return }
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
    var isUnasked = false
    var answer = kemon_verdict()
    guard let row = table.row(record.kind), !isMuted.load(ordering: .relaxed) else { return false }
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
      if status == StandInStatus.timedOut || status == StandInStatus.noTurn,
        handlers[Int(entry.handlerID)].isStandIn
      {
        entry.counters.add(.timeouts, on: thread)
        isUnasked = true
        continue
      }
      entry.counters.add(.calls, on: thread)
      if status < 0 { entry.counters.add(.faults, on: thread) }
      isDelivered = true
    }
    guard isUnasked, !isDelivered else { return isDelivered }
    unasked.store(unasked.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    return true
  }
}
