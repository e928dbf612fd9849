// SPDX-License-Identifier: Apache-2.0

/// What a handler says about an event, from weak to strong: the strongest vote wins.
public enum VerdictAction: UInt16, Sendable, Comparable, CaseIterable {
  /// No opinion; when nobody has one, the kind's default applies.
  case abstain = 0
  /// Fine as far as the handler goes.
  case allow = 1
  /// Fine with a narrower mask (pre) or with another result (post).
  case modify = 2
  /// Answered later.
  case `defer` = 3
  /// The operation fails.
  case deny = 4

  /// The action as it is written in output.
  public var name: String {
    switch self {
    case .abstain: "abstain"
    case .allow: "allow"
    case .modify: "modify"
    case .defer: "defer"
    case .deny: "deny"
    }
  }

  /// Whether one action loses against another.
  @inlinable
  public static func < (lhs: VerdictAction, rhs: VerdictAction) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}

/// In which row a handler stands when votes are joined.
public enum VerdictTier: UInt16, Sendable, Comparable, CaseIterable {
  /// The host's own rules: their verdict is final.
  case `guard` = 0
  /// Plugins that decide.
  case enforce = 1
  /// Votes that are recorded as "would deny", never enforced.
  case observe = 2

  /// The tier as it is written in output.
  public var name: String {
    switch self {
    case .guard: "guard"
    case .enforce: "enforce"
    case .observe: "observe"
    }
  }

  /// Whether one tier is asked before another.
  @inlinable
  public static func < (lhs: VerdictTier, rhs: VerdictTier) -> Bool { lhs.rawValue < rhs.rawValue }
}
