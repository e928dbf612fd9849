// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform

/// Waits by looking again, and after a while by sleeping until a producer wakes it.
public struct WaitParking: WaitStrategy {
  @usableFromInline let spins: Int
  @usableFromInline let milliseconds: Int
  @usableFromInline var turns = 0

  /// Makes the strategy.
  ///
  /// - Parameters:
  ///   - spins: how often it looks again at once.
  ///   - milliseconds: how long it sleeps at most.
  @inlinable
  public init(spins: Int = 200, milliseconds: Int = 100) {
    self.spins = spins
    self.milliseconds = milliseconds
  }

  /// Spins or sleeps.
  @inlinable @inline(__always)
  public mutating func wait(for reader: RingReader) {
    if turns < spins {
      turns &+= 1
      ckemon_pause()
    } else {
      reader.park(milliseconds: milliseconds)
    }
  }

  /// Spins again first.
  @inlinable @inline(__always)
  public mutating func reset() { turns = 0 }
}
