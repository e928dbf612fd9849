// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform

/// Waits by looking again at once: the least delay, and a core that does nothing else.
public struct WaitSpinning: WaitStrategy {
  /// Makes the strategy.
  @inlinable
  public init() {}

  /// Lets the other hardware thread of the core go first.
  @inlinable @inline(__always)
  public mutating func wait(for reader: RingReader) { ckemon_pause() }

  /// Nothing to forget.
  @inlinable @inline(__always)
  public mutating func reset() {}
}
