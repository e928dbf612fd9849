// SPDX-License-Identifier: Apache-2.0

/// What a handler says about an event.
///
/// The strongest vote of all handlers wins, whatever their order: abstain, allow, modify, deny.
public struct Vote: Sendable, Equatable {
  @usableFromInline var action: UInt16
  @usableFromInline var flags: UInt16 = 0
  @usableFromInline var error: Int32 = 0
  @usableFromInline var allowMask: UInt64 = .max
  @usableFromInline var result: Int64 = 0
  @usableFromInline var reason = ""

  @inlinable
  init(_ action: Int32) { self.action = UInt16(action) }

  /// No opinion.
  @inlinable public static var abstain: Vote { Vote(KEMON_ABSTAIN) }

  /// Fine as far as this handler goes.
  @inlinable public static var allow: Vote { Vote(KEMON_ALLOW) }

  /// The operation fails with an errno, for a reason that people can read.
  ///
  /// The reason is cut to 95 bytes. A literal costs no allocation.
  @inlinable
  public static func deny(_ error: Errno, _ reason: String) -> Vote {
    var vote = Vote(KEMON_DENY)
    vote.error = error.rawValue
    vote.reason = reason
    return vote
  }

  /// The operation fails with `EPERM`.
  @inlinable
  public static func deny(_ reason: String) -> Vote { .deny(.EPERM, reason) }

  /// Pre: fine, but only these bits of the operation's flags stay allowed.
  @inlinable
  public static func allowOnly(mask: UInt64) -> Vote {
    var vote = Vote(KEMON_MODIFY)
    vote.allowMask = mask
    return vote
  }

  /// Post: the caller gets this instead of what the operation returned.
  @inlinable
  public static func replaceResult(_ result: Int64, _ reason: String) -> Vote {
    var vote = Vote(KEMON_MODIFY)
    vote.flags = UInt16(KEMON_V_RESULT)
    vote.result = result
    vote.reason = reason
    return vote
  }

  /// Pre: comes later, under a ticket; see ``Deferral``.
  @inlinable
  public static func later(_ ticket: UInt64) -> Vote {
    var vote = Vote(KEMON_DEFER)
    vote.result = Int64(bitPattern: ticket)
    return vote
  }

  /// Pre: fine with another value in a field; made by ``Modification/vote(_:_:)``.
  @inlinable
  public static func change(flags: UInt16, value: Int64) -> Vote {
    var vote = Vote(KEMON_MODIFY)
    vote.flags = flags
    vote.result = value
    return vote
  }

  /// The same answer for every event that is equal in what the handler says with `cache:`.
  ///
  /// The host may give it without calling, when all handlers of the kind agree to that.
  @inlinable
  public func cacheable() -> Vote {
    var vote = self
    vote.flags |= UInt16(KEMON_V_CACHEABLE)
    return vote
  }

  /// Fills in the host's verdict.
  @inlinable
  func write(to verdict: UnsafeMutablePointer<kemon_verdict>) {
    verdict.pointee.action = action
    verdict.pointee.flags |= flags
    verdict.pointee.err = error
    verdict.pointee.allow_mask = allowMask
    verdict.pointee.result = result
    if !reason.isEmpty { Self.write(reason, to: verdict) }
  }

  @usableFromInline
  static func write(_ reason: String, to verdict: UnsafeMutablePointer<kemon_verdict>) {
    withUnsafeMutableBytes(of: &verdict.pointee.reason) { $0.copyText(reason) }
  }
}
