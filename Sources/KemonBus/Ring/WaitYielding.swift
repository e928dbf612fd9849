// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform
internal import Glibc

/// Waits by looking again, and after a while by letting other threads run in between.
public struct WaitYielding: WaitStrategy {
  @usableFromInline let spins: Int
  @usableFromInline var turns = 0

  /// Makes the strategy.
  ///
  /// - Parameter spins: how often it looks again at once.
  @inlinable
  public init(spins: Int = 200) { self.spins = spins }

  /// Spins or yields.
  @inlinable @inline(__always)
  public mutating func wait(for reader: RingReader) {
    if turns < spins {
      turns &+= 1
      ckemon_pause()
    } else {
      Self.yield()
    }
  }

  /// Spins again first.
  @inlinable @inline(__always)
  public mutating func reset() { turns = 0 }

  @usableFromInline
  static func yield() { sched_yield() }
}
