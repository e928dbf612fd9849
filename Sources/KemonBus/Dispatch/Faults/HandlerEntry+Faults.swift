// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

extension HandlerEntry {
  /// Counts a call without an answer that could count, and says what the handler is taken to have voted.
  ///
  /// - Parameter status: negative, or not when it was the answer that is not allowed.
  @inline(never)
  func outcome(of status: kemon_status, on thread: Int) -> VerdictAction {
    let isLate =
      isStandIn && (status == StandInStatus.timedOut || status == StandInStatus.noTurn)
    counters.add(isLate ? .timeouts : .faults, on: thread)
    if let fault = fault(status) {
      standing?._withUnsafeGuaranteedRef { $0.strike(fault) }
    }
    return isLate ? onTimeout : onFault
  }

  /// Counts a ticket whose time is over.
  @inline(never)
  func missTicket(on thread: Int) {
    counters.add(.timeouts, on: thread)
    standing?._withUnsafeGuaranteedRef { $0.strike(.timeout) }
  }

  /// What is a strike; nil for what the handler is not to blame for.
  private func fault(_ status: kemon_status) -> CallFault? {
    guard status < 0 else { return .answer }
    guard isStandIn else { return .status(status) }
    return switch status {
    case StandInStatus.timedOut: .timeout
    case StandInStatus.died: .death
    case StandInStatus.noTurn, StandInStatus.absent: nil
    default: .status(status)
    }
  }
}
