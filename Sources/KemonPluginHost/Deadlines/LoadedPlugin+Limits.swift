// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform

/// Handlers that may not take their time.
extension LoadedPlugin {
  /// A handler as it is called: by itself, or on a lane when it has a budget or a turn to wait for.
  func limited(_ handler: KemonBus.Handler, _ request: HandlerRequest) -> KemonBus.Handler {
    var handler = handler
    let standing = standing(of: request)
    handler.standing = standing
    let budget = budget(of: request)
    // A stand-in keeps the times itself, and its worker the turns.
    WorkerHandler.of(request)?.follow(standing)
    guard budget > 0 || turns != nil, !request.isStandIn else { return handler }
    let call = limitedCalls.withLock { calls in
      if let call = calls[request.token] { return call }
      let call = LimitedCall(
        handler.function, handler.context, budget: budget, gate: turns, lanes: services.lanes,
        clock: services.clock, standing: standing)
      calls[request.token] = call
      return call
    }
    handler.function = LimitedCall.standIn
    handler.context = Unmanaged.passUnretained(call).toOpaque()
    handler.owner = call
    handler.isStandIn = true
    return handler
  }

  /// Nanoseconds that a call of a handler may take; 0 for as long as it likes.
  func budget(of request: HandlerRequest) -> UInt64 {
    // Nobody waits for an observer.
    guard request.role != .observer else { return 0 }
    let said = services.budgets.nanoseconds(
      plugin: name, handler: request.name, declared: request.budget)
    return said == 0 && turns != nil ? CallBudget.forTurns : said
  }

  /// What is known of a handler's faults: the same as long as the plugin lives.
  private func standing(of request: HandlerRequest) -> HandlerStanding {
    standings.withLock { standings in
      if let standing = standings[request.token] { return standing }
      let standing = makeStanding(of: request)
      standings[request.token] = standing
      return standing
    }
  }

  private func makeStanding(of request: HandlerRequest) -> HandlerStanding {
    let (log, clock) = (services.log, services.clock)
    let place = "handler \(request.name) of plugin \(name)"
    return HandlerStanding(clock: { clock.steady() }) { change in
      switch change {
      case .quarantined(let nanoseconds, let strikes, let last):
        log.log(
          .warn, source: "host",
          "\(place) has failed \(strikes) times within a minute (the last: \(last)): "
            + "its votes are only recorded for \(nanoseconds / 1_000_000_000) s")
      case .released:
        log.log(.info, source: "host", "the votes of \(place) count again")
      }
    }
  }

  /// Waits for calls that nobody waits for any more, but not for ever.
  ///
  /// - Returns: false when one has still not returned.
  func haveLateCallsReturned() -> Bool {
    let calls = limitedCalls.withLock { Array($0.values) }
    let end = EventClock.monotonic() &+ services.patience
    while true {
      let stuck = calls.reduce(0) { $0 + $1.stuckCalls }
      guard stuck > 0 else { return true }
      guard EventClock.monotonic() < end else {
        services.log.log(
          .error, source: "host",
          "\(stuck) calls of handlers of plugin \(name) have not returned: "
            + "it is neither stopped nor destroyed")
        return false
      }
      usleep(1000)
    }
  }
}

extension TurnGate {
  /// The gate that a plugin's table asks for; nil when it can be called at any time.
  convenience init?(concurrency: UInt32) {
    switch Int32(concurrency) {
    case KEMON_CONC_SERIAL: self.init(.plugin)
    case KEMON_CONC_PER_SUBJECT: self.init(.subject)
    default: return nil
    }
  }
}
