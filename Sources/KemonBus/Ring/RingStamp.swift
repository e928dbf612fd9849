// SPDX-License-Identifier: Apache-2.0

/// A slot's first word: sequence, state and size in one, so that one load tells all.
///
/// ```
///  63 ─────────────── 24 │ 23 22 │ 21 ─────── 0
///  sequence + 1 (40 bit) │ state │ bytes of the record
/// ```
///
/// Stamps of one slot grow modulo 2⁶⁴, state by state and lap by lap; two are compared by the sign of their
/// difference. Forty bits wrap after five hours at sixty million records a second, which harms nobody: no stamp is
/// ever compared with one that is more than a few laps away.
@usableFromInline
enum RingStamp {
  @usableFromInline static let sizeMask: UInt64 = (1 << 22) - 1

  /// The record of the sequence is being written.
  @inlinable @inline(__always)
  static func writing(_ sequence: UInt64) -> UInt64 { ((sequence &+ 1) << 24) | (1 << 22) }

  /// The record of the sequence can be read; the size is not yet in it.
  @inlinable @inline(__always)
  static func published(_ sequence: UInt64) -> UInt64 { ((sequence &+ 1) << 24) | (2 << 22) }

  /// There is no record of the sequence and never will be: its producer died.
  @inlinable @inline(__always)
  static func gap(_ sequence: UInt64) -> UInt64 { ((sequence &+ 1) << 24) | (3 << 22) }

  /// Whether a stamp says that the record of the sequence can be read.
  @inlinable @inline(__always)
  static func isPublished(_ stamp: UInt64, _ sequence: UInt64) -> Bool {
    (stamp ^ published(sequence)) <= sizeMask
  }

  /// Whether a stamp is one of this very sequence, in whatever state.
  @inlinable @inline(__always)
  static func isOf(_ stamp: UInt64, _ sequence: UInt64) -> Bool {
    (stamp ^ published(sequence)) >> 24 == 0
  }

  /// Whether nobody writes the slot's record of the sequence any more.
  @inlinable @inline(__always)
  static func isComplete(_ stamp: UInt64, _ sequence: UInt64) -> Bool {
    Int64(bitPattern: stamp &- published(sequence)) >= 0
  }

  /// Whether a stamp belongs to a later state or sequence than the published record.
  @inlinable @inline(__always)
  static func isBeyond(_ stamp: UInt64, _ sequence: UInt64) -> Bool {
    Int64(bitPattern: (stamp & ~sizeMask) &- published(sequence)) > 0
  }
}
