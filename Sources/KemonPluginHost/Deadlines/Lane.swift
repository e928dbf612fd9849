// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import KemonBus
import KemonEvents
import Synchronization

// Unchecked: `word` says who may touch the rest: the asking thread while it is idle or answered, the lane's thread from
// running until it has answered or found itself abandoned.
/// A thread that calls handlers for threads that cannot wait for them for ever.
///
/// ```
///   ┌──────────────────────── taken back ────────────────────────┐
///   ▼                                                            │
/// idle ──ask──▶ asked ──▶ running ──the handler has returned──▶ answered
///   ▲  time is over │        └──time is over──▶ abandoned ──the handler has returned──┐
///   └───────────────┘─────────────────────────────────────────────────────────────────┘
/// ```
///
/// Both ways out of asked, and out of running, are one exchange of the word: a call is answered, late or has never begun,
/// never two of these or none. The lane has a
/// copy of the event and the answer of its own, so that a handler that is late finds them as they were.
final class Lane: @unchecked Sendable {
  private enum State {
    static let idle: UInt32 = 0
    static let asked: UInt32 = 1
    static let running: UInt32 = 2
    static let answered: UInt32 = 3
    static let abandoned: UInt32 = 4
    static let ending: UInt32 = 5
  }

  /// What asking came to.
  enum Result: Equatable {
    /// The handler has returned that status, its answer is copied.
    case answered(kemon_status)
    /// The time was over before a processor was there: the handler was not called.
    case notBegun
    /// The time was over first: the lane is not to be used until it comes back by itself.
    case late
  }

  private let word: UnsafeMutablePointer<Atomic<UInt32>>
  private var record: UnsafeMutableRawPointer
  private var capacity: Int
  private let verdict: UnsafeMutablePointer<kemon_verdict>
  private var status: kemon_status = 0
  private var call: LimitedCall?
  private var turn: TurnGate.Key?
  /// Whose call it is, as the crumb of the thread says that asks.
  private var owner: UInt64 = 0
  /// When the answer must be there, on the monotonic clock.
  private var end: UInt64 = 0
  private var thread: WorkerThread?

  /// Starts the lane; nil when the system has no thread left.
  ///
  /// - Parameter onReturn: called on the lane's thread when it is idle again after a late call; false ends the thread.
  init?(number: Int, onReturn: @escaping @Sendable (Lane) -> Bool) {
    word = .allocate(capacity: 1)
    word.initialize(to: Atomic(State.idle))
    capacity = 4096
    record = .allocate(byteCount: capacity, alignment: 8)
    verdict = .allocate(capacity: 1)
    verdict.initialize(to: kemon_verdict())
    thread = WorkerThread(trying: "lane-\(number)") { self.run(onReturn) }
    if thread == nil { return nil }
  }

  deinit {
    word.deinitialize(count: 1)
    word.deallocate()
    record.deallocate()
    verdict.deallocate()
  }

  // MARK: The thread that asks

  /// Calls a handler and waits for it.
  ///
  /// - Parameters:
  ///   - turn: whose turn the call is, for its end.
  ///   - end: when the answer must be there, on the monotonic clock.
  ///   - onTimeout: called before the lane is given up; the answer may still come first.
  func ask(
    _ call: LimitedCall, _ turn: TurnGate.Key?, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>, until end: UInt64, onTimeout: () -> Void
  ) -> Result {
    copy(event)
    verdict.update(from: answer, count: 1)
    self.call = call
    self.turn = turn
    owner = HandlerCrumb.current.owner
    self.end = end
    word.pointee.store(State.asked, ordering: .releasing)
    ckemon_futex_wake_all(word)
    while true {
      let state = word.pointee.load(ordering: .acquiring)
      if state == State.answered { break }
      let now = EventClock.monotonic()
      if now < end {
        _ = ckemon_futex_wait(word, state, end - now)
      } else if exchange(State.asked, State.idle) {
        self.call = nil
        return .notBegun
      } else {
        onTimeout()
        if exchange(State.running, State.abandoned) { return .late }
      }
    }
    answer.update(from: verdict, count: 1)
    self.call = nil
    defer { word.pointee.store(State.idle, ordering: .releasing) }
    return .answered(status)
  }

  private func exchange(_ expected: UInt32, _ desired: UInt32) -> Bool {
    word.pointee.compareExchange(
      expected: expected, desired: desired, ordering: .acquiringAndReleasing
    ).exchanged
  }

  private func copy(_ event: UnsafePointer<kemon_event>) {
    let size = Int(event.pointee.size)
    if size > capacity {
      record.deallocate()
      capacity = size * 2
      record = .allocate(byteCount: capacity, alignment: 8)
    }
    record.copyMemory(from: event, byteCount: size)
  }

  /// Ends the thread of an idle lane and waits for it.
  func stop() {
    word.pointee.store(State.ending, ordering: .releasing)
    ckemon_futex_wake_all(word)
    thread?.join()
  }

  // MARK: The lane's thread

  private func run(_ onReturn: (Lane) -> Bool) {
    while true {
      let state = word.pointee.load(ordering: .acquiring)
      switch state {
      case State.ending: return
      case State.asked:
        if exchange(State.asked, State.running), !answer(onReturn) { return }
      default: _ = ckemon_futex_wait(word, state, CallBudget.limit)
      }
    }
  }

  /// Calls the handler.
  ///
  /// - Returns: false when nobody will ever ask again.
  private func answer(_ onReturn: (Lane) -> Bool) -> Bool {
    guard let call else { preconditionFailure("a lane is asked for a call") }
    let event = record.assumingMemoryBound(to: kemon_event.self)
    ckemon_thread_set_deadline(end)
    let crumb = HandlerCrumb.current
    crumb.begin(event)
    crumb.set(owner)
    status = call.function(call.context, event, verdict)
    crumb.end()
    ckemon_thread_set_deadline(0)
    if exchange(State.running, State.answered) {
      ckemon_futex_wake_all(word)
      return true
    }
    self.call = nil
    word.pointee.store(State.idle, ordering: .releasing)
    call.hasReturnedLate(turn)
    guard !onReturn(self) else { return true }
    // Nobody is left who would join it.
    thread?.detach()
    return false
  }
}
