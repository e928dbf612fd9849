// SPDX-License-Identifier: Apache-2.0

/// What a reader does while nothing is published.
///
/// A strategy is a small value of the reading thread: it is asked to wait each time that a drain came back empty, and
/// told when one did not.
public protocol WaitStrategy {
  /// Waits a little, or until something is published.
  mutating func wait(for reader: RingReader)
  /// Something was published: the next wait is a first one again.
  mutating func reset()
}
