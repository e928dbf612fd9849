// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// What one or more votes come to.
///
/// ``joined(with:)`` makes verdicts a join-semilattice: the order in which votes are joined does not matter, nor
/// does joining one twice. The strongest action wins; masks are combined with AND; of several errnos the one that
/// comes first in EDEADLK, EINVAL, ESRCH, ENOENT, EACCES, EPERM, any other (lowest number) is taken.
public struct Verdict: Sendable, Equatable {
  /// The strongest action; abstain when nobody had an opinion, so that the kind's default applies.
  public var action: VerdictAction
  /// Linux errno of a denial; 0 unless denied.
  public var error: Int32
  /// The bits of the operation's flags that stay allowed.
  public var allowMask: UInt64
  /// What the caller gets instead of the operation's result; nil when nobody replaced it.
  public var replacement: Int64?
  /// Whether handlers have changed the event: what is to happen now is in the record.
  public var isPatched = false
  /// The number that the deciding plugin gave.
  public var reasonCode: UInt32
  /// The plugin whose vote decided; 0 for nobody.
  public var decidedBy: UInt32
  /// The priority of the handler that decided: the lowest one breaks ties between equal votes.
  public var priority: Int32

  /// Makes a verdict.
  @inlinable
  public init(
    action: VerdictAction = .abstain, error: Int32 = 0, allowMask: UInt64 = .max,
    replacement: Int64? = nil, reasonCode: UInt32 = 0, decidedBy: UInt32 = 0, priority: Int32 = 0
  ) {
    self.action = action
    self.error = action == .deny ? (error == 0 ? Self.defaultError : error) : 0
    self.allowMask = allowMask
    self.replacement = replacement
    self.reasonCode = reasonCode
    self.decidedBy = decidedBy
    self.priority = priority
  }

  /// EPERM: what a denial without an errno means.
  public static let defaultError: Int32 = 1

  /// Whether the operation fails.
  @inlinable
  public var isDenied: Bool { action == .deny }

  /// What both come to together.
  @inlinable
  public func joined(with other: Verdict) -> Verdict {
    var result = other.decides(over: self) ? other : self
    result.allowMask = allowMask & other.allowMask
    result.replacement = Self.join(replacement, other.replacement)
    result.isPatched = isPatched || other.isPatched
    return result
  }

  /// Whether this vote, and not the other, names the decider: a strict total order on what is compared.
  @inlinable
  func decides(over other: Verdict) -> Bool {
    if action != other.action { return action > other.action }
    if error != other.error { return Self.rank(error) < Self.rank(other.error) }
    if priority != other.priority { return priority < other.priority }
    if decidedBy != other.decidedBy { return decidedBy < other.decidedBy }
    return reasonCode < other.reasonCode
  }

  /// Position of a Linux errno in the order of precedence.
  ///
  /// Source: XNU `mac_error_select`; "other" is made order-independent by its number.
  @inlinable
  static func rank(_ error: Int32) -> Int64 {
    switch error {
    case 35: 0  // EDEADLK
    case 22: 1  // EINVAL
    case 3: 2  // ESRCH
    case 2: 3  // ENOENT
    case 13: 4  // EACCES
    case 1: 5  // EPERM
    case 0: .max
    default: 6 + Int64(error) - Int64(Int32.min)
    }
  }

  /// Of two replacements a failure beats success, and the lower number beats the higher one.
  @inlinable
  static func join(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left else { return right }
    guard let right else { return left }
    if left == 0 || right == 0 { return left == 0 ? right : left }
    return min(left, right)
  }
}
