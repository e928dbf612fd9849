// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Handing an observer's place in the ring to another one: no event is seen by both, or by neither.
extension Observer {
  /// Stands still: no handler is called any more when this returns, and the place in the ring is kept.
  ///
  /// What is published meanwhile waits in the ring, under the observer's overflow policy. ``start()`` goes on. Not
  /// from one of its handlers.
  public func pause() {
    isPausing.store(true, ordering: .sequentiallyConsistent)
    state.withLock { endThread(&$0) }
  }

  /// Starts at the place of another observer, with the account that belongs to it.
  ///
  /// The other one is paused first, and has left the ring afterwards; it may take its place back in the same way. When
  /// it has none, this one joins the ring like every other.
  ///
  /// - Throws: ``RingError/Code/tooManySubscribers``; then neither of them has changed.
  public func start(inPlaceOf other: Observer) throws(RingError) {
    other.pause()
    let place = other.state.withLock { other in
      defer { other.subscription = nil }
      return other.subscription
    }
    guard let place else { return try start() }
    state.withLock { startThread(&$0, at: place) }
  }

  /// Shows events to the handlers again, or counts them as muted from now on.
  public func setMuted(_ isMuted: Bool) { self.isMuted.store(isMuted, ordering: .relaxed) }
}
