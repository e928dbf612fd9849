// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

/// The first events of a new generation of a plugin: a fault among them brings the old one back.
///
/// While the trial is on, the dispatcher calls the handlers through ``call``, which counts. Counting never waits: the
/// host is woken, and decides on a thread of its own.
final class Trial: Sendable {
  enum Outcome: UInt8 {
    case open, passed, failed
  }

  private let left: Atomic<Int>
  private let result = Atomic<UInt8>(Outcome.open.rawValue)
  private let wake: FutexWord

  /// Begins a trial.
  ///
  /// - Parameters:
  ///   - events: how many calls of its handlers must be without fault, 1 or more.
  ///   - wake: signalled when the outcome is known.
  init(events: Int, wake: FutexWord) {
    left = Atomic(events)
    self.wake = wake
  }

  var outcome: Outcome { Outcome(rawValue: result.load(ordering: .acquiring)) ?? .failed }

  /// Calls that are still to come.
  var remaining: Int { max(0, left.load(ordering: .relaxed)) }

  /// Takes the fault of a handler for one of the trial's, when it is still open; never waits.
  func noteFault() { end(.failed) }

  private func noteSuccess() {
    if left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { end(.passed) }
  }

  private func end(_ outcome: Outcome) {
    let (isFirst, _) = result.compareExchange(
      expected: Outcome.open.rawValue, desired: outcome.rawValue, ordering: .acquiringAndReleasing)
    if isFirst { wake.signal() }
  }

  // MARK: Calls

  // Unchecked: constants; the context is the plugin's, which must be ready for calls from any thread.
  /// A handler on trial; its address is the context of ``call``.
  final class Candidate: @unchecked Sendable {
    fileprivate let function: kemon_handler_fn
    fileprivate let context: UnsafeMutableRawPointer?
    fileprivate let votes: Bool
    fileprivate let isStandIn: Bool
    fileprivate let trial: Trial
    /// Kept as long as the handler is.
    private let owner: (any AnyObject & Sendable)?

    /// - Parameter votes: whether its verdict is read.
    init(_ handler: Handler, votes: Bool, _ trial: Trial) {
      function = handler.function
      owner = handler.owner
      isStandIn = handler.isStandIn
      self.votes = votes
      context = handler.context
      self.trial = trial
    }
  }

  /// Calls the handler behind the context and counts what became of it.
  static let call: kemon_handler_fn = { context, event, verdict in
    guard let context else { return KEMON_E_INVALID }
    let candidate = Unmanaged<Candidate>.fromOpaque(context)
    return candidate._withUnsafeGuaranteedRef { candidate in
      let status = candidate.function(candidate.context, event, verdict)
      let trial = candidate.trial
      if trial.result.load(ordering: .relaxed) != Outcome.open.rawValue { return status }
      // It was not asked: it has done nothing, right or wrong.
      if candidate.isStandIn, status == StandInStatus.noTurn || status == StandInStatus.absent {
        return status
      }
      let action = verdict?.pointee.action ?? 0
      if status < 0 || (candidate.votes && action > UInt16(KEMON_DENY)) {
        trial.noteFault()
      } else {
        trial.noteSuccess()
      }
      return status
    }
  }
}
