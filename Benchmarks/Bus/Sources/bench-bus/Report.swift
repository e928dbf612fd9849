// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What is printed, and what is kept in a file.
struct Report {
  let machine: String
  private(set) var results: [Result] = []
  private(set) var roundTrips: [Double] = []

  init(machine: String) { self.machine = machine }

  /// Adds a workload and prints it.
  mutating func add(_ tournament: Tournament) {
    let workload = tournament.workload
    roundTrips.append(tournament.roundTrip)
    print(
      "\n\(workload.name), \(workload.sizeName)\(workload.size == 0 ? "" : " B"): "
        + "median of \(tournament.rounds) rounds, cores \(format(tournament.roundTrip)) ns apart")
    let isRate = workload.unit == .millionsPerSecond
    for entry in tournament.entries.sorted(by: {
      isRate ? $0.value > $1.value : $0.value < $1.value
    }) {
      let mark = entry.contestant.isOurs ? "*" : " "
      let p99 = entry.p99.map { "  p99 \(format($0))" } ?? ""
      print(
        "  \(mark) \(pad(entry.contestant.name, 22)) \(padLeft(format(entry.value), 8)) "
          + "\(workload.unit.rawValue)\(p99)")
    }
    // A run takes minutes: whoever reads along through a pipe sees every workload at once.
    fflush(nil)
    results += Comparison.rows(of: workload).compactMap(tournament.result)
  }

  /// Prints all rows with their targets.
  func printSummary() {
    print("\n\(machine)")
    print(
      "\(pad("workload", 20)) \(padLeft("size", 5)) \(padLeft("ours", 9)) "
        + "\(padLeft("best peer", 10))      \(pad("", 20)) \(padLeft("ratio", 6)) target")
    for row in results {
      let target = row.target.map { format($0, 2) } ?? "-"
      let verdict = row.target.map { row.ratio >= $0 ? "" : "  missed" } ?? ""
      print(
        "\(pad(row.name, 20)) \(padLeft(row.size, 5)) \(padLeft(format(row.ours), 9)) "
          + "\(padLeft(format(row.bestPeer), 10)) \(pad(row.unit, 4)) \(pad(row.bestPeerName, 20)) "
          + "\(padLeft(format(row.ratio, 2), 6)) \(padLeft(target, 6))\(verdict)")
    }
  }

  /// Writes the rows as JSON.
  func write(to path: String) throws {
    let file = File(
      machine: machine, coreRoundTripNs: rounded(Tournament.Entry.median(roundTrips)),
      workloads: results.map(Row.init))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let data = try encoder.encode(file) + Data("\n".utf8)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  private struct File: Encodable {
    let machine: String
    let coreRoundTripNs: Double
    let workloads: [Row]
  }

  private struct Row: Encodable {
    let name, size, unit: String
    let ours, bestPeer: Double
    let oursP99, bestPeerP99: Double?
    let bestPeerName: String
    let ratioToBestPeer: Double
    let targetRatio: Double?

    init(_ result: Result) {
      name = result.name
      size = result.size
      unit = result.unit
      ours = rounded(result.ours)
      bestPeer = rounded(result.bestPeer)
      oursP99 = result.oursP99.map(rounded)
      bestPeerP99 = result.bestPeerP99.map(rounded)
      bestPeerName = result.bestPeerName
      ratioToBestPeer = rounded(result.ratio)
      targetRatio = result.target.map(rounded)
    }
  }
}

private func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

private func format(_ value: Double, _ digits: Int = 1) -> String {
  String(format: "%.\(digits)f", value)
}

private func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

private func padLeft(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
