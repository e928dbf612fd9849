// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a run found, as a table and as JSON.
struct Report: Encodable {
  let machine: String
  let unit = "ns"
  let rows: [Row]

  private enum CodingKeys: String, CodingKey { case machine, unit, rows }

  init(_ rows: [Row]) {
    self.rows = rows
    let cpus = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = model?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    machine = "\(name ?? "unknown processor"), \(cpus) cores"
  }

  /// The table.
  var text: String {
    let head = ["ns", "p99", "target", "what"]
    let lines = rows.map { row in
      [
        Self.text(row.nanoseconds), row.p99.map(Self.text) ?? "", row.target.map(Self.text) ?? "",
        row.name,
      ]
    }
    return machine + "\n\n"
      + ([head] + lines)
      .map { line in
        line.dropLast().map { String(repeating: " ", count: max(0, 10 - $0.count)) + $0 }.joined()
          + "  " + line[3]
      }
      .joined(separator: "\n")
  }

  /// Writes the JSON.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
  }

  private static func text(_ number: Double) -> String { String(format: "%.1f", number) }
}
