// SPDX-License-Identifier: Apache-2.0

import Histogram
import KemonBus
import KemonEvents
import KemonPluginHost
import KemonRecording

/// Plays a recording round after round and measures each event.
struct BenchRunner {
  /// One round.
  struct Round {
    /// From the first event to the return from the last one, in nanoseconds.
    var dispatch: UInt64
    /// Until every observer had read everything, in nanoseconds.
    var drained: UInt64
    var denied: Int
    var digest: String
  }

  private let records: RecordArena
  private let pipeline: Pipeline
  private var latencies: [UInt32]
  private var digest: VerdictDigest
  /// Nanoseconds per event over all measured rounds.
  private(set) var histogram = Histogram<UInt64>(
    highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .three)
  /// The measured rounds.
  private(set) var rounds: [Round] = []

  init(_ records: RecordArena, _ pipeline: Pipeline) {
    self.records = records
    self.pipeline = pipeline
    latencies = [UInt32](repeating: 0, count: records.count)
    let plugins = pipeline.plugins
    digest = VerdictDigest(capacity: records.count * 8) { plugins.pluginName($0) }
  }

  /// Plays the recording once.
  ///
  /// - Parameter isWarmUp: the round is played but leaves no trace in the results.
  mutating func playRound(isWarmUp: Bool) {
    digest.reset()
    var denied = 0
    var index = 0
    let dispatcher = pipeline.dispatcher
    // Event time begins anew, and what a handler has to answer for is part of the round.
    dispatcher.resetStandings()
    let start = EventClock.monotonic()
    // One reading of the clock per event: the end of one is the beginning of the next.
    var mark = start
    Player().play(records) { builder in
      guard !dispatcher.emissions.isMade(builder.view.kind) else { return }
      let verdict = dispatcher.dispatch(&builder)
      digest.add(builder.view, verdict)
      if verdict.isDenied { denied += 1 }
      let now = EventClock.monotonic()
      latencies[index] = UInt32(clamping: now - mark)
      index += 1
      mark = now
    }
    let dispatch = mark - start
    pipeline.waitForObservers()
    let drained = EventClock.monotonic() - start
    guard !isWarmUp else { return }
    for latency in latencies { histogram.record(UInt64(latency)) }
    rounds.append(Round(dispatch: dispatch, drained: drained, denied: denied, digest: digest.text))
  }
}
