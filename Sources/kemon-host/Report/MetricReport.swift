// SPDX-License-Identifier: Apache-2.0

import KemonPluginHost
import KemonText

/// The counters and histograms of plugins' own.
enum MetricReport {
  /// A table for people.
  static func text(_ metrics: [PluginMetric]) -> String {
    var table = Table("plugin", "metric", "value", "unit", "p50", "p90", "p99", "max", "meaning")
    for metric in metrics {
      switch metric.value {
      case .count(let count):
        table.add(
          metric.plugin, metric.name, count.grouped, metric.unit, "", "", "", "", metric.help)
      case .distribution(let values):
        table.add(
          metric.plugin, metric.name, "\(values.count.grouped) values", metric.unit,
          values.p50.grouped, values.p90.grouped, values.p99.grouped, values.maximum.grouped,
          metric.help)
      }
    }
    return table.text
  }

  /// An object of the metrics of one plugin, by name.
  static func json(_ metrics: [PluginMetric]) -> JSONValue {
    .object(
      Dictionary(uniqueKeysWithValues: metrics.map { ($0.name, json($0)) }))
  }

  private static func json(_ metric: PluginMetric) -> JSONValue {
    let number = { (value: UInt64) in JSONValue.integer(Int64(clamping: value)) }
    var members: [String: JSONValue] = ["unit": .string(metric.unit), "help": .string(metric.help)]
    switch metric.value {
    case .count(let count): members["value"] = number(count)
    case .distribution(let values):
      members["count"] = number(values.count)
      members["sum"] = number(values.sum)
      members["p50"] = number(values.p50)
      members["p90"] = number(values.p90)
      members["p99"] = number(values.p99)
      members["max"] = number(values.maximum)
    }
    return .object(members)
  }
}
