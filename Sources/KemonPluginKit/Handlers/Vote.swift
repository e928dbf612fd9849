// SPDX-License-Identifier: Apache-2.0

/// What a handler says about an event.
///
/// The strongest vote of all handlers wins, whatever their order: abstain, allow, modify, deny.
public enum Vote: Sendable, Equatable {
  /// No opinion.
  case abstain
  /// Fine as far as this handler goes.
  case allow
  /// The operation fails with an errno, for a reason that people can read.
  ///
  /// The reason is cut to 95 bytes. A literal costs no allocation.
  case deny(Errno, String)
  /// Pre: fine, but only these bits of the operation's flags stay allowed.
  case allowOnly(mask: UInt64)
  /// Post: the caller gets this instead of what the operation returned.
  case replaceResult(Int64, String)
  /// Pre: comes later, under a ticket; see ``Deferral``.
  case later(UInt64)
  /// Pre: fine with another value in a field; made by ``Modification/vote(_:_:)``.
  case change(flags: UInt16, value: Int64)

  /// The operation fails with `EPERM`.
  @inlinable
  public static func deny(_ reason: String) -> Vote { .deny(.EPERM, reason) }

  /// Fills in the host's verdict.
  @inlinable
  func write(to verdict: UnsafeMutablePointer<kemon_verdict>) {
    switch self {
    case .abstain:
      break
    case .allow:
      verdict.pointee.action = UInt16(KEMON_ALLOW)
    case .deny(let error, let reason):
      verdict.pointee.action = UInt16(KEMON_DENY)
      verdict.pointee.err = error.rawValue
      Self.write(reason, to: verdict)
    case .allowOnly(let mask):
      verdict.pointee.action = UInt16(KEMON_MODIFY)
      verdict.pointee.allow_mask = mask
    case .replaceResult(let result, let reason):
      verdict.pointee.action = UInt16(KEMON_MODIFY)
      verdict.pointee.flags |= UInt16(KEMON_V_RESULT)
      verdict.pointee.result = result
      Self.write(reason, to: verdict)
    case .later(let ticket):
      verdict.pointee.action = UInt16(KEMON_DEFER)
      verdict.pointee.result = Int64(bitPattern: ticket)
    case .change(let flags, let value):
      verdict.pointee.action = UInt16(KEMON_MODIFY)
      verdict.pointee.flags |= flags
      verdict.pointee.result = value
    }
  }

  @usableFromInline
  static func write(_ reason: String, to verdict: UnsafeMutablePointer<kemon_verdict>) {
    withUnsafeMutableBytes(of: &verdict.pointee.reason) { $0.copyText(reason) }
  }
}
