// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import KemonBus
import KemonEvents
import Synchronization

// Unchecked: `word` says who may touch the rest: the asking thread while it is idle or answered, the lane's thread from
// asked until it has answered or found itself abandoned.
/// A thread that calls handlers for threads that cannot wait for them for ever.
///
/// ```
///          ┌──────────────── taken back ───────────────┐
///          ▼                                           │
/// idle ──ask──▶ asked ──the handler has returned──▶ answered
///                 └──────time is over──▶ abandoned ──the handler has returned──▶ idle
/// ```
///
/// Both ways out of asked are one exchange of the word: a call is answered or late, never both or neither. The lane has a
/// copy of the event and the answer of its own, so that a handler that is late finds them as they were.
final class Lane: @unchecked Sendable {
  private enum State {
    static let idle: UInt32 = 0
    static let asked: UInt32 = 1
    static let answered: UInt32 = 2
    static let abandoned: UInt32 = 3
    static let ending: UInt32 = 4
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
  /// - Returns: the handler's status, its answer copied; nil when the time was over first. Then the lane is not to be used
  ///   until it comes back by itself.
  func ask(
    _ call: LimitedCall, _ turn: TurnGate.Key?, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>, until end: UInt64, onTimeout: () -> Void
  ) -> kemon_status? {
    copy(event)
    verdict.update(from: answer, count: 1)
    self.call = call
    self.turn = turn
    owner = HandlerCrumb.current.owner
    self.end = end
    word.pointee.store(State.asked, ordering: .releasing)
    ckemon_futex_wake_all(word)
    while word.pointee.load(ordering: .acquiring) == State.asked {
      let now = EventClock.monotonic()
      guard now < end else {
        onTimeout()
        let isLate = word.pointee.compareExchange(
          expected: State.asked, desired: State.abandoned, ordering: .acquiringAndReleasing
        ).exchanged
        if isLate { return nil }
        break
      }
      _ = ckemon_futex_wait(word, State.asked, end - now)
    }
    answer.update(from: verdict, count: 1)
    self.call = nil
    defer { word.pointee.store(State.idle, ordering: .releasing) }
    return status
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
      case State.asked: if !answer(onReturn) { return }
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
    let isInTime = word.pointee.compareExchange(
      expected: State.asked, desired: State.answered, ordering: .acquiringAndReleasing
    ).exchanged
    if isInTime {
      ckemon_futex_wake_all(word)
      return true
    }
    self.call = nil
    word.pointee.store(State.idle, ordering: .releasing)
    call.hasReturnedLate(turn)
    return onReturn(self)
  }
}
