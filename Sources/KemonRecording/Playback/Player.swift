// SPDX-License-Identifier: Apache-2.0

import Glibc
public import KemonBus
public import KemonEvents
import Synchronization

/// Offers recorded events anew, in their order.
///
/// Each event is a copy without the votes and the verdict that it was recorded with, and is marked as replayed.
public final class Player: Sendable {
  /// How fast events follow each other.
  public enum Speed: Sendable, Equatable {
    /// Without a pause.
    case maximum
    /// So many times as fast as they were recorded.
    case times(Double)
  }

  /// What came of a replay.
  public struct Outcome: Sendable, Equatable {
    /// Events that were offered.
    public internal(set) var events = 0
    /// Events whose verdict was a denial.
    public internal(set) var denied = 0
  }

  /// Operations that may be open at a time, between a denial and the event after it.
  private static let openLimit = 1 << 16
  /// Nanoseconds after which a pause looks whether it was stopped.
  private static let longestPause: UInt64 = 50_000_000

  private let records: RecordArena
  private let speed: Speed
  private let isStopped = Atomic<Bool>(false)

  /// Makes a player.
  ///
  /// - Parameters:
  ///   - records: what is played; read by any number of players at a time.
  ///   - speed: how fast.
  public init(_ records: RecordArena, speed: Speed = .maximum) {
    self.records = records
    self.speed = speed
  }

  /// Ends every `play` that is running, after the event that it is at, and every later one at once.
  ///
  /// Any thread.
  public func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Hands each event to a closure.
  ///
  /// - Parameters:
  ///   - clock: stands at the time of each event meanwhile, and follows the system again afterwards.
  ///   - body: gets a builder that holds the event; it may change it.
  /// - Returns: how many events were handed over.
  @discardableResult
  public func play<E: Error>(
    clock: EventClock? = nil, _ body: (inout RecordBuilder) throws(E) -> Void
  ) throws(E) -> Int {
    var builder = RecordBuilder()
    var pace = Pace(speed)
    defer { clock?.set(0) }
    for index in 0..<records.count {
      let record = records[index]
      let time = record.event.pointee.time_ns
      pause(&pace, until: time)
      if isStopped.load(ordering: .relaxed) { return index }
      clock?.set(time)
      builder.begin(copying: record)
      try body(&builder)
    }
    return records.count
  }

  /// Asks the handlers of a dispatcher about each event, as when it happened.
  ///
  /// When the event before an operation is denied, the event after it ends with the errno of the denial, as it would
  /// live.
  ///
  /// - Parameters:
  ///   - dispatcher: whose handlers are asked; it publishes each event on its ring.
  ///   - clock: the dispatcher's clock.
  /// - Returns: how many events there were and how many were denied.
  @discardableResult
  public func play(into dispatcher: Dispatcher, clock: EventClock? = nil) -> Outcome {
    var outcome = Outcome()
    var errors: [UInt64: Int32] = [:]
    outcome.events = play(clock: clock) { builder in
      let operation = builder.header.pointee.corr
      let phase = builder.header.pointee.phase
      if phase == EventPhase.post.rawValue, !errors.isEmpty,
        let error = errors.removeValue(forKey: operation)
      {
        builder.header.pointee.result = error
      }
      let verdict = dispatcher.dispatch(&builder)
      guard verdict.isDenied else { return }
      outcome.denied += 1
      if phase == EventPhase.pre.rawValue, operation != 0, errors.count < Self.openLimit {
        errors[operation] = verdict.error
      }
    }
    return outcome
  }

  private func pause(_ pace: inout Pace, until time: UInt64) {
    while let rest = pace.wait(until: time), !isStopped.load(ordering: .relaxed) {
      var request = timespec(tv_sec: 0, tv_nsec: Int(min(rest, Self.longestPause)))
      nanosleep(&request, nil)
    }
  }
}

/// Maps the times of a recording onto now.
private struct Pace {
  private let factor: Double?
  private var start: (recorded: UInt64, now: UInt64)?

  init(_ speed: Player.Speed) {
    switch speed {
    case .maximum: factor = nil
    case .times(let factor): self.factor = factor > 0 ? factor : nil
    }
  }

  /// Nanoseconds until it is the turn of an event, or nil when it is.
  mutating func wait(until recorded: UInt64) -> UInt64? {
    guard let factor else { return nil }
    let now = EventClock.monotonic()
    guard let start else {
      start = (recorded, now)
      return nil
    }
    // A recording need not be in order of time.
    guard recorded > start.recorded else { return nil }
    let due = Double(recorded - start.recorded) / factor
    let passed = Double(now - start.now)
    return due > passed ? UInt64(min(due - passed, 1e18)) : nil
  }
}
