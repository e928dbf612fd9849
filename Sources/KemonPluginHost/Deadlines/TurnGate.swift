// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform

/// Lets calls of a plugin's handlers happen one after the other: all of them, or those for the events of one process.
///
/// First come, first served. Nobody waits behind a call that is late: nobody knows when it will return.
final class TurnGate: Sendable {
  /// What happens one at a time.
  enum Scope: Sendable {
    /// Every call.
    case plugin
    /// The calls for events of one process.
    case subject
  }

  /// Whose turn it is that is waited for.
  struct Key: Hashable, Sendable {
    fileprivate let pid: Int32
    fileprivate let start: UInt64

    /// That of every call, where all happen one at a time.
    static let only = Key(pid: 0, start: 0)
  }

  /// What waiting came to.
  enum Turn: Equatable {
    /// It is the caller's turn, until it leaves.
    case granted
    /// The time was over first.
    case timedOut
    /// The call whose turn it is, is late itself.
    case blocked
  }

  // Unchecked: `turn` is reached under the lock only.
  private final class Waiter: @unchecked Sendable {
    let word = FutexWord()
    var turn: Turn?
  }

  private struct Place {
    var isLate = false
    var waiters: [Waiter] = []
  }

  private let scope: Scope
  /// Those whose turn somebody has.
  private let places = PosixLock<[Key: Place]>([:])

  init(_ scope: Scope) { self.scope = scope }

  /// The key of an event.
  func key(_ event: UnsafePointer<kemon_event>) -> Key {
    switch scope {
    case .plugin: .only
    case .subject:
      Key(pid: event.pointee.subject.pid, start: event.pointee.subject.start_ns)
    }
  }

  /// Waits for the turn.
  ///
  /// - Parameter end: when to give up, on the monotonic clock.
  func enter(_ key: Key, until end: UInt64) -> Turn {
    let waiter: Waiter? = places.withLock { places in
      guard var place = places[key] else {
        places[key] = Place()
        return nil
      }
      let waiter = Waiter()
      if place.isLate {
        waiter.turn = .blocked
      } else {
        place.waiters.append(waiter)
        places[key] = place
      }
      return waiter
    }
    guard let waiter else { return .granted }
    while true {
      let ticket = waiter.word.value
      let now = EventClock.monotonic()
      let turn: Turn? = places.withLock { places in
        if waiter.turn == nil, now >= end {
          places[key]?.waiters.removeAll { $0 === waiter }
          return .timedOut
        }
        return waiter.turn
      }
      if let turn { return turn }
      waiter.word.wait(from: ticket, nanoseconds: min(end - now, 1_000_000_000))
    }
  }

  /// Makes a call when its turn has come, however long that takes; at once where there are no turns.
  static func inTurn<Result>(
    _ gate: TurnGate?, _ event: UnsafePointer<kemon_event>, _ call: () -> Result
  ) -> Result {
    guard let gate else { return call() }
    // The event lies where the call may write.
    let key = gate.key(event)
    _ = gate.enter(key, until: .max)
    defer { gate.leave(key) }
    return call()
  }

  /// How many wait for a turn.
  func waiting(_ key: Key) -> Int { places.withLock { $0[key]?.waiters.count ?? 0 } }

  /// Ends the turn of the caller, late or not: the next one has it.
  func leave(_ key: Key) {
    let next: Waiter? = places.withLock { places in
      guard var place = places[key], !place.waiters.isEmpty else {
        places[key] = nil
        return nil
      }
      let next = place.waiters.removeFirst()
      next.turn = .granted
      place.isLate = false
      places[key] = place
      return next
    }
    next?.word.signal()
  }

  /// Sends away all that wait for the end of a turn, and those who come until then.
  func markLate(_ key: Key) {
    let waiters: [Waiter] = places.withLock { places in
      guard var place = places[key] else { return [] }
      let waiters = place.waiters
      for waiter in waiters { waiter.turn = .blocked }
      place.waiters = []
      place.isLate = true
      places[key] = place
      return waiters
    }
    for waiter in waiters { waiter.word.signal() }
  }
}
