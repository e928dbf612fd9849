// SPDX-License-Identifier: Apache-2.0

/// A slot's second word: what came back for the record.
///
/// ```
///  63 ────── 32 │ 31 ────────── 8 │ 7 ── 0
///  the answer   │ low 24 bits of  │ state
///               │ sequence + 1    │
/// ```
///
/// The low half is the futex of a producer that sleeps until its answer comes.
@usableFromInline
enum RingAnswer {
  /// No answer is wanted, or it has been taken.
  @usableFromInline static let none: UInt64 = 0
  static let pendingState: UInt64 = 1
  /// As pending, and the producer sleeps.
  static let sleepingState: UInt64 = 2
  static let answeredState: UInt64 = 3

  @inlinable @inline(__always)
  static func tag(_ sequence: UInt64) -> UInt64 { ((sequence &+ 1) & 0xFF_FFFF) << 8 }

  /// An answer is wanted.
  @inlinable @inline(__always)
  static func pending(_ sequence: UInt64) -> UInt64 { tag(sequence) | 1 }

  /// An answer is wanted and somebody sleeps for it.
  @inlinable @inline(__always)
  static func sleeping(_ sequence: UInt64) -> UInt64 { tag(sequence) | 2 }

  /// The answer is there.
  @inlinable @inline(__always)
  static func answered(_ sequence: UInt64, _ value: UInt32) -> UInt64 {
    UInt64(value) << 32 | tag(sequence) | 3
  }
}
