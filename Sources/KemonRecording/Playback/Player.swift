// SPDX-License-Identifier: Apache-2.0

public import KemonBus
public import KemonEvents
import Synchronization

/// Offers recorded events anew, in their order.
///
/// Each event is a copy without the votes and the verdict that it was recorded with, and is marked as replayed.
/// Events come from an arena, at full speed, or from a recording that is too large for memory.
public final class Player: Sendable {
  /// What came of a replay through a dispatcher.
  public struct Outcome: Sendable, Equatable {
    /// Events that were offered.
    public internal(set) var events = 0
    /// Events whose verdict was a denial.
    public internal(set) var denied = 0
    /// Events that were left out, because a plugin that is here emits them anew.
    public internal(set) var leftOut = 0
  }

  private let speed: ReplaySpeed
  private let clock: EventClock?
  private let isStopped = Atomic<Bool>(false)

  /// Makes a player.
  ///
  /// - Parameters:
  ///   - speed: how fast events follow each other.
  ///   - clock: stands at the time of each event meanwhile, and follows the system again afterwards.
  public init(speed: ReplaySpeed = .maximum, clock: EventClock? = nil) {
    self.speed = speed
    self.clock = clock
  }

  /// Ends every replay that is running, after the event that it is at, and every later one at once.
  ///
  /// Any thread.
  public func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Hands each event of an arena to a closure.
  ///
  /// - Parameters:
  ///   - records: what is played.
  ///   - range: which of them; nil for all.
  ///   - body: gets a builder that holds the event; it may change it.
  /// - Returns: how many events were handed over.
  @discardableResult
  public func play<E: Error>(
    _ records: RecordArena, range: Range<Int>? = nil,
    _ body: (inout RecordBuilder) throws(E) -> Void
  ) throws(E) -> Int {
    var builder = RecordBuilder()
    var pace = ReplayPace(speed)
    let range = (range ?? 0..<records.count).clamped(to: 0..<records.count)
    defer { clock?.set(0) }
    for index in range {
      guard prepare(records[index], &builder, &pace) else { return index - range.lowerBound }
      try body(&builder)
    }
    return range.count
  }

  /// Hands each event of a recording to a closure, without keeping them in memory.
  ///
  /// - Parameters:
  ///   - reader: what is played.
  ///   - body: gets a builder that holds the event; it may change it.
  /// - Returns: how many events were handed over, what was skipped, and what ended the recording early.
  @discardableResult
  public func play<E: Error>(
    _ reader: RecordingReader, _ body: (inout RecordBuilder) throws(E) -> Void
  ) throws(E) -> RecordingReader.Outcome {
    var builder = RecordBuilder()
    var pace = ReplayPace(speed)
    defer { clock?.set(0) }
    var offered = 0
    var outcome = try reader.forEach { record throws(E) in
      guard prepare(record, &builder, &pace) else { return false }
      try body(&builder)
      offered += 1
      return true
    }
    outcome.read = offered
    return outcome
  }

  /// Asks the handlers of a dispatcher about each event of an arena, as when it happened.
  ///
  /// When the event before an operation is denied, the event after it ends with the errno of the denial, as it would
  /// live.
  ///
  /// - Parameters:
  ///   - records: what is played.
  ///   - range: which of them; nil for all.
  ///   - dispatcher: whose handlers are asked; it publishes each event on its ring.
  /// - Returns: how many events there were and how many were denied.
  @discardableResult
  public func play(
    _ records: RecordArena, range: Range<Int>? = nil, into dispatcher: Dispatcher
  ) -> Outcome {
    var replay = DispatchedReplay(dispatcher)
    play(records, range: range) { replay.offer(&$0) }
    return replay.outcome
  }

  /// Asks the handlers of a dispatcher about each event of an arena, and shows each with its votes and its verdict.
  ///
  /// - Parameter each: sees the event as it was published; the view is valid during the call.
  @discardableResult
  public func play(
    _ records: RecordArena, into dispatcher: Dispatcher,
    showing each: (RecordView, Verdict) -> Void
  ) -> Outcome {
    var replay = DispatchedReplay(dispatcher)
    play(records) { builder in
      if let verdict = replay.offer(&builder) { each(builder.view, verdict) }
    }
    return replay.outcome
  }

  /// Asks the handlers of a dispatcher about each event of a recording, without keeping them in memory.
  ///
  /// - Parameters:
  ///   - reader: what is played.
  ///   - dispatcher: whose handlers are asked; it publishes each event on its ring.
  /// - Returns: how many events there were and how many were denied, and how reading went.
  @discardableResult
  public func play(
    _ reader: RecordingReader, into dispatcher: Dispatcher
  ) -> (replay: Outcome, reading: RecordingReader.Outcome) {
    var replay = DispatchedReplay(dispatcher)
    let reading = play(reader) { replay.offer(&$0) }
    return (replay.outcome, reading)
  }

  /// Makes the builder hold the next event when it is its turn; false when the replay was stopped.
  private func prepare(
    _ record: RecordView, _ builder: inout RecordBuilder, _ pace: inout ReplayPace
  ) -> Bool {
    let time = record.event.pointee.time_ns
    pace.wait(until: time) { isStopped.load(ordering: .relaxed) }
    guard !isStopped.load(ordering: .relaxed) else { return false }
    clock?.advance(to: time)
    builder.begin(copying: record)
    return true
  }
}

/// A replay through a dispatcher: carries a denial from the event before an operation to the one after it.
private struct DispatchedReplay {
  /// Operations that may be open at a time, between a denial and the event after it.
  private static let openLimit = 1 << 16

  let dispatcher: Dispatcher
  var outcome = Player.Outcome()
  /// Errnos by operation.
  private var denials: [UInt64: Int32] = [:]

  init(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }

  /// - Returns: nil for an event that is left out.
  @discardableResult
  mutating func offer(_ builder: inout RecordBuilder) -> Verdict? {
    guard !dispatcher.emissions.isMade(builder.view.kind) else {
      outcome.leftOut += 1
      return nil
    }
    let operation = builder.header.pointee.corr
    let phase = builder.header.pointee.phase
    if phase == EventPhase.post.rawValue, !denials.isEmpty,
      let error = denials.removeValue(forKey: operation)
    {
      builder.header.pointee.result = error
      refuse(&builder)
    }
    let verdict = dispatcher.dispatch(&builder)
    outcome.events += 1
    guard verdict.isDenied else { return verdict }
    outcome.denied += 1
    if phase == EventPhase.pre.rawValue, operation != 0, denials.count < Self.openLimit {
      denials[operation] = verdict.error
    }
    return verdict
  }

  /// Makes the payload of a post event say what the hook would have made of the denial.
  private func refuse(_ builder: inout RecordBuilder) {
    guard builder.view.kind == EventKind(KEMON_KIND_KEXT_START),
      Int(builder.header.pointee.payload_size) == MemoryLayout<kemon_kext>.size,
      var kext = builder.view.payload(as: kemon_kext.self)
    else { return }
    // KERN_FAILURE: what the entry of a denied driver returns.
    kext.status = 5
    builder.setPayload(kext)
  }
}
