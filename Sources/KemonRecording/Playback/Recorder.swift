// SPDX-License-Identifier: Apache-2.0

public import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization

/// Writes what is published on a ring into a recording, on a thread of its own.
///
/// Nobody ever waits for the disk, unless the recorder was told to hold producers back when it is a whole ring behind.
/// When writing fails, because the disk is full, the recorder keeps the file as it is, goes on reading the ring so that
/// it holds up nobody, and counts everything from then on as lost.
public final class Recorder: Sendable {
  private struct State {
    var subscription: Subscription?
    var thread: WorkerThread?
    var lastAccount: SubscriberAccount?
  }

  /// Milliseconds after which the thread looks whether a batch is due, though nothing was published.
  private static let patience = 100

  private let ring: EventRing
  private let writer: RecordingWriter
  private let overflow: OverflowPolicy
  private let filter: EventFilter?
  private let isStopping = Atomic<Bool>(false)
  private let state = PosixLock(State())
  // Apart from the state, whose lock is held while the thread is waited for.
  private let failed = PosixLock<RecordingError?>(nil)

  /// Makes a recorder; it joins the ring when it is started.
  ///
  /// - Parameters:
  ///   - ring: where events are published.
  ///   - writer: a new recording, or one that is added to; the recorder closes it.
  ///   - overflow: what happens when the disk is too slow: lose events, or hold producers back.
  ///   - filter: which events are recorded; nil for all.
  public init(
    ring: EventRing, writer: RecordingWriter, overflow: OverflowPolicy, filter: EventFilter? = nil
  ) {
    self.ring = ring
    self.writer = writer
    self.overflow = overflow
    self.filter = filter
  }

  deinit { stop() }

  /// Joins the ring and starts the thread; once.
  ///
  /// - Throws: `RingError` when every place of the ring is taken.
  public func start() throws(RingError) {
    try state.withLock { state throws(RingError) in
      guard state.subscription == nil, state.lastAccount == nil else { return }
      let subscription = try ring.subscribe(named: "recorder", overflow: overflow)
      state.subscription = subscription
      state.thread = WorkerThread(named: "kemon-recorder") { [unowned self] in run(subscription) }
    }
  }

  /// Records everything that was published until now, closes the recording and returns.
  ///
  /// - Returns: what became of every event.
  @discardableResult
  public func stop() -> SubscriberAccount {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    ring.wakeAll()
    return state.withLock { state in
      guard let subscription = state.subscription else {
        return state.lastAccount ?? SubscriberAccount(name: "recorder")
      }
      state.thread?.join()
      state.thread = nil
      subscription.cancel()
      attempt { () throws(RecordingError) in try writer.close() }
      let account = self.account(of: subscription, isClosed: true)
      state.lastAccount = account
      state.subscription = nil
      return account
    }
  }

  /// What became of every event since ``start()``: delivered is what is safely in the file.
  public var account: SubscriberAccount {
    state.withLock { state in
      state.lastAccount
        ?? state.subscription.map { account(of: $0, isClosed: failure != nil) }
        ?? SubscriberAccount(name: "recorder")
    }
  }

  /// Why nothing is written any more, if so.
  public var failure: RecordingError? { failed.withLock { $0 } }

  private func account(of subscription: Subscription, isClosed: Bool) -> SubscriberAccount {
    // In this order: what is committed meanwhile was drained before.
    let written = UInt64(writer.committed)
    var account = subscription.account
    let open = account.delivered - min(written, account.delivered)
    account.delivered -= open
    if isClosed { account.lost += open } else { account.pending += open }
    return account
  }

  /// Does something with the file and remembers the first failure.
  private func attempt(_ body: () throws(RecordingError) -> Void) {
    do throws(RecordingError) {
      try body()
    } catch {
      failed.withLock { $0 = $0 ?? error }
    }
  }

  private func run(_ subscription: Subscription) {
    var goal: UInt64?
    while true {
      let taken = subscription.drain { record in
        if let filter, !filter.matches(record) { return false }
        attempt { () throws(RecordingError) in try writer.append(record) }
        return true
      }
      attempt { () throws(RecordingError) in try writer.commitIfDue() }
      if isStopping.load(ordering: .acquiring) {
        // Only what was published before the stop: producers that go on cannot keep the thread alive.
        let end = goal ?? ring.published
        goal = end
        if taken == 0 || subscription.position >= end { return }
      } else if taken == 0 {
        subscription.wait(milliseconds: Self.patience)
      }
    }
  }
}
