// SPDX-License-Identifier: Apache-2.0

internal import BusPeers
internal import CBench
internal import Foundation

/// What all contestants share: cores, and the sizes of real records.
final class Environment {
  let cpus: Int
  /// Sizes of records, shuffled, each as often as it occurs.
  let sizes: [UInt16]

  /// Reads the sizes from a file of lines "bytes, tab, how many"; lines with `#` are comments.
  init(sizesAt path: String) throws {
    cpus = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var rows: [(size: UInt16, count: Int)] = []
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (number, line) in text.split(separator: "\n").enumerated() where !line.hasPrefix("#") {
      let words = line.split(separator: "\t")
      guard words.count == 2, let size = UInt16(words[0]), let count = Int(words[1]),
        size >= 64, size % 8 == 0, size <= 65_528, count > 0
      else {
        throw RoundError(
          description: "\(path):\(number + 1): '\(line)' is not a size and how often it occurs")
      }
      rows.append((size, count))
    }
    sizes = Self.sample(rows)
    guard !sizes.isEmpty else { throw RoundError(description: "\(path): no sizes") }
  }

  /// As many sizes as a load may have, in the proportions of the rows; the same ones in every run.
  private static func sample(_ rows: [(size: UInt16, count: Int)]) -> [UInt16] {
    let total = rows.reduce(0) { $0 + $1.count }
    guard total > 0 else { return [] }
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    return (0..<Int(BUS_SIZES_LIMIT)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var place = Int(state >> 33) % total
      for row in rows {
        if place < row.count { return row.size }
        place -= row.count
      }
      return rows[0].size
    }
  }

  /// The load of a round; valid during the call.
  func withLoad<Result>(_ workload: Workload, _ body: (bus_load) -> Result) -> Result {
    sizes.withUnsafeBufferPointer { sizes in
      body(
        bus_load(
          size: UInt32(workload.size), producers: UInt32(workload.producers),
          subscribers: UInt32(workload.subscribers), events: UInt32(workload.events),
          interval_ns: 1_000, cpus: UInt32(cpus), sizes: sizes.baseAddress,
          sizes_count: UInt32(sizes.count)))
    }
  }

  /// Nanoseconds that a cache line takes to the other core and back.
  func roundTrip() -> Double { bench_round_trip(0, Int32(cpus > 1 ? cpus - 1 : 0)) }

  /// The processor's name, for the report.
  var machine: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = model?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    return "\(name ?? "unknown processor"), \(cpus) cores"
  }
}
