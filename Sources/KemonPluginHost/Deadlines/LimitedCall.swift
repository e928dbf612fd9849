// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

// Unchecked: the context pointer belongs to the plugin, which lives until its last call has returned.
/// Stands in for a handler that has a budget, or a turn to wait for: calls it on a lane, and answers without it when the
/// time is over.
///
/// The thread that owes the verdict is the one that watches the time: it sleeps until the lane has answered or the budget
/// is spent, and goes on. What the handler answers later is counted and thrown away.
final class LimitedCall: @unchecked Sendable {
  /// How many calls of one handler may be stuck: with so many it is not called.
  static let stuckLimit = 4

  let function: kemon_handler_fn
  let context: UnsafeMutableRawPointer?
  /// Nanoseconds for a call; 0 for a handler that may take its time, on the calling thread.
  let budget: UInt64
  private let gate: TurnGate?
  private let lanes: LanePool
  private let clock: EventClock
  private let standing: HandlerStanding
  private let stuck = Atomic<Int>(0)

  init(
    _ function: @escaping kemon_handler_fn, _ context: UnsafeMutableRawPointer?, budget: UInt64,
    gate: TurnGate?, lanes: LanePool, clock: EventClock, standing: HandlerStanding
  ) {
    self.function = function
    self.context = context
    self.budget = budget
    self.gate = gate
    self.lanes = lanes
    self.clock = clock
    self.standing = standing
  }

  /// What the dispatcher calls instead of the handler, with the object as context.
  static let standIn: kemon_handler_fn = { context, event, verdict in
    guard let context, let event, let verdict else { return KEMON_E_INVALID }
    return Unmanaged<LimitedCall>.fromOpaque(context)._withUnsafeGuaranteedRef {
      $0.call(event, verdict)
    }
  }

  /// How many calls nobody waits for any more have not returned.
  var stuckCalls: Int { stuck.load(ordering: .acquiring) }

  /// Calls the handler within its time.
  func call(
    _ event: UnsafePointer<kemon_event>, _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> kemon_status {
    guard budget > 0 else { return callInTurn(event, verdict) }
    guard stuckCalls < Self.stuckLimit else { return StandInStatus.timedOut }
    let limit = standing.isQuarantined ? min(budget, CallBudget.inQuarantine) : budget
    let allowance = CallBudget.allowance(
      limit, deadline: event.pointee.deadline_ns, now: clock.now())
    guard allowance > 0 else { return StandInStatus.noTurn }
    let end = EventClock.monotonic() &+ allowance
    let key = gate?.key(event)
    if let gate, let key {
      switch gate.enter(key, until: end) {
      case .granted: break
      case .timedOut: return StandInStatus.noTurn
      case .blocked: return StandInStatus.timedOut
      }
    }
    guard let lane = lanes.take() else {
      if let gate, let key { gate.leave(key) }
      return StandInStatus.noTurn
    }
    var isGivenUp = false
    let status = lane.ask(self, key, event, verdict, until: end) {
      // Before the lane is given up: whoever returns late finds it written down.
      isGivenUp = true
      stuck.wrappingAdd(1, ordering: .acquiringAndReleasing)
      if let gate, let key { gate.markLate(key) }
    }
    guard let status else { return StandInStatus.timedOut }
    if isGivenUp { stuck.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    if let gate, let key { gate.leave(key) }
    lanes.giveBack(lane)
    return status
  }

  /// Without a budget: on this thread, which nobody waits for.
  private func callInTurn(
    _ event: UnsafePointer<kemon_event>, _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> kemon_status {
    guard let gate else { return function(context, event, verdict) }
    let key = gate.key(event)
    guard gate.enter(key, until: .max) == .granted else { return StandInStatus.timedOut }
    defer { gate.leave(key) }
    return function(context, event, verdict)
  }

  /// A call that nobody waits for any more has come to its end.
  ///
  /// - Parameter turn: the one that it had; nil for none.
  func hasReturnedLate(_ turn: TurnGate.Key?) {
    standing.countLateAnswer()
    if let gate, let turn { gate.leave(turn) }
    stuck.wrappingSubtract(1, ordering: .acquiringAndReleasing)
  }
}
