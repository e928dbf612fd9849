// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// Why a handler that was asked has no answer that could count.
public enum CallFault: Sendable, Equatable, CustomStringConvertible {
  /// It returned a negative status.
  case status(kemon_status)
  /// What it answered is not allowed.
  case answer
  /// It did not answer in time.
  case timeout
  /// The process that it runs in has ended.
  case death

  /// The fault, as in "the last: …".
  public var description: String {
    switch self {
    case .status(let status): "status \(status)"
    case .answer: "an answer that is not allowed"
    case .timeout: "no answer in time"
    case .death: "its process has ended"
    }
  }
}

/// What a stand-in returns when it has no answer: a function of the host that calls the plugin's handler elsewhere, on
/// another thread or in another process.
///
/// Only handlers with ``Handler/isStandIn`` are understood this way; from a plugin these are statuses like any other.
public enum StandInStatus {
  /// No answer in time: the outcome is ``Handler/onTimeout``, and it is a strike.
  public static let timedOut: kemon_status = -1001
  /// It was not asked, because its turn did not come in time: the outcome is ``Handler/onTimeout``, no strike.
  public static let noTurn: kemon_status = -1002
  /// Its process ended during the call: the outcome is ``Handler/onFault``, and it is a strike.
  public static let died: kemon_status = -1003
  /// It was not asked, because its process is not there: the outcome is ``Handler/onFault``, no strike.
  public static let absent: kemon_status = -1004
}
