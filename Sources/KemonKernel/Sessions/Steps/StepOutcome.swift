// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// What a step of a session came to.
public struct StepOutcome: Sendable, Equatable {
  /// Why it failed: an errno's name, or the kernel's own code as it is logged; nil when it did not.
  public let failure: String?
  /// What there is to say about it; empty for nothing.
  public let text: String

  /// It happened.
  static func done(_ text: String = "") -> StepOutcome { StepOutcome(failure: nil, text: text) }

  /// It failed, with a code that is no errno.
  static func failed(_ code: String, _ text: String = "") -> StepOutcome {
    StepOutcome(failure: code, text: text)
  }

  /// What an operation's errno says.
  ///
  /// - Parameter error: Darwin's number; 0 when it happened.
  static func result(_ error: Int32, _ text: String = "") -> StepOutcome {
    guard error != 0 else { return done(text) }
    let name = ErrnoName.all.first { $0.darwin == error }?.name
    return failed(name ?? String(error), text)
  }
}
