// SPDX-License-Identifier: Apache-2.0

import Histogram
import KemonBus
import KemonPluginHost
import KemonText

/// What a benchmark found, as text and as one JSON object.
struct BenchReport {
  let recording: String
  let events: Int
  let rounds: [BenchRunner.Round]
  let histogram: Histogram<UInt64>
  let flow: FlowReport
  let plugins: [PluginInfo]

  /// The digest that all rounds share; nil when they do not.
  var digest: String? {
    Set(rounds.map(\.digest)).count == 1 ? rounds.first?.digest : nil
  }

  private func rates(_ time: (BenchRunner.Round) -> UInt64) -> [Double] {
    rounds.map { Double(events) / (Double(max(time($0), 1)) / 1e9) }.sorted()
  }

  private static func median(_ sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  private static let percentiles: [(name: String, value: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9), ("max", 100),
  ]

  // MARK: Text

  /// Prints the report: rates, latency, what each handler did, the balance, the digest.
  func printText() {
    let dispatch = rates(\.dispatch)
    let drained = rates(\.drained)
    let line = { (rates: [Double]) in
      "median \(KemonHostText.rate(Self.median(rates)))  min \(KemonHostText.rate(rates.first ?? 0))  "
        + "max \(KemonHostText.rate(rates.last ?? 0))"
    }
    Console.data("bench     \(recording)  \(events.grouped) events x \(rounds.count) rounds")
    Console.data("dispatch  \(line(dispatch))")
    Console.data("drained   \(line(drained))")
    Console.data(
      "latency   "
        + Self.percentiles.map {
          "\($0.name.replacing("_", with: ".")) "
            + KemonHostText.nanoseconds(Double(histogram.valueAtPercentile($0.value)))
        }.joined(separator: "  "))
    Console.data("denied    \((rounds.first?.denied ?? 0).grouped) per round")
    let names = Set(rounds.map(\.digest)).sorted()
    Console.data(
      "digest    " + (digest ?? "DIFFERS BETWEEN ROUNDS: \(names.joined(separator: " "))"))
  }

  // MARK: JSON

  var json: JSONValue {
    let dispatch = rates(\.dispatch)
    let drained = rates(\.drained)
    var latency: [String: JSONValue] = [:]
    for percentile in Self.percentiles {
      latency[percentile.name + "_ns"] =
        .integer(Int64(histogram.valueAtPercentile(percentile.value)))
    }
    return .object([
      "recording": .string(recording), "events": .integer(Int64(events)),
      "rounds": .integer(Int64(rounds.count)), "digest": digest.map { .string($0) } ?? .null,
      "digests": .array(rounds.map { .string($0.digest) }),
      "events_per_second": .number(Self.median(dispatch).rounded()),
      "events_per_second_min": .number((dispatch.first ?? 0).rounded()),
      "events_per_second_max": .number((dispatch.last ?? 0).rounded()),
      "drained_events_per_second": .number(Self.median(drained).rounded()),
      "denied": .integer(Int64(rounds.first?.denied ?? 0)), "latency": .object(latency),
      "plugins": .array(plugins.map(json(of:))), "balance": .array(flow.accounts.map(json(of:))),
    ])
  }

  private func json(of plugin: PluginInfo) -> JSONValue {
    let handlers = (flow.voters + flow.observers).filter { $0.pluginID == plugin.id }
    let sum = { (count: (HandlerStatistics) -> UInt64) in
      JSONValue.integer(Int64(clamping: handlers.reduce(0) { $0 + count($1) }))
    }
    let timed = handlers.reduce(UInt64(0)) { $0 + $1.timedCalls }
    let time = handlers.reduce(UInt64(0)) { $0 + $1.timedNanoseconds }
    return .object([
      "name": .string(plugin.name), "version": .string(plugin.version),
      "sha256": .string(plugin.sha256), "calls": sum(\.calls), "filtered": sum(\.filtered),
      "denies": sum(\.denies), "would_denies": sum(\.wouldDenies), "faults": sum(\.faults),
      "mean_ns": timed == 0 ? .null : .number((Double(time) / Double(timed)).rounded()),
      "metrics": MetricReport.json(flow.metrics.filter { $0.pluginID == plugin.id }),
    ])
  }

  private func json(of account: SubscriberAccount) -> JSONValue {
    .object([
      "subscriber": .string(account.name), "produced": .integer(Int64(clamping: account.produced)),
      "delivered": .integer(Int64(clamping: account.delivered)),
      "muted": .integer(Int64(clamping: account.muted)),
      "lost": .integer(Int64(clamping: account.lost)),
      "lost_at": .object(
        Dictionary(
          uniqueKeysWithValues: account.losses.named.map {
            ($0.name, .integer(Int64(clamping: $0.count)))
          })), "balanced": .bool(account.isBalanced),
    ])
  }
}
