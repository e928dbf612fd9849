// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is printed and written at the end.
struct Report: Encodable {
  /// The times of one contestant, in nanoseconds per call.
  struct Row: Encodable {
    let name: String
    let minimum: Double
    let median: Double
    /// Above the same function without a hook.
    let added: Double
  }

  /// A figure that the project has promised.
  struct Target: Encodable {
    let name: String
    let ratio: Double
    let target: Double
    var isMet: Bool { ratio <= target }

    /// Of the whole call: what both add is too little to be divided.
    static func presence(_ rows: [Row]) -> [Target] {
      guard let hook = rows.first(where: { $0.name == Contestants.noHandlers }),
        let replace = rows.first(where: { $0.name == Contestants.replace })
      else { return [] }
      let ratio = (hook.median / replace.median).rounded3
      return [Target(name: "call with a hook against a replaced one", ratio: ratio, target: 1.2)]
    }

    /// Twice what frida-gum's own batch takes, which is 10 µs per function at most.
    static func batch(_ batches: [Batch]) -> [Target] {
      func median(_ name: String) -> Double? {
        let times = batches.filter { $0.name == name }.map(\.install).sorted()
        return times.isEmpty ? nil : times[times.count / 2]
      }
      return [
        median(Batches.transaction).map {
          Target(name: "batch install, µs per function", ratio: $0, target: 20)
        },
        median(Batches.firstHook).map {
          Target(name: "first hook of a process, µs", ratio: $0, target: 500)
        },
      ].compactMap { $0 }
    }

    enum CodingKeys: String, CodingKey { case name, ratio, target, met }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(ratio, forKey: .ratio)
      try container.encode(target, forKey: .target)
      try container.encode(isMet, forKey: .met)
    }
  }

  /// Microseconds per function of putting many hooks in and taking them out at once.
  struct Batch: Encodable {
    let name: String
    let functions: Int
    let install: Double
    let remove: Double
  }

  let machine: String
  let rounds: Int
  let calls: Int
  let frida: String?
  let contestants: [Row]
  let batches: [Batch]
  let targets: [Target]

  init(
    _ contestants: [Contestant], _ batches: [Batch], rounds: Int, calls: Int, frida: String?
  ) {
    machine =
      "\(ProcessInfo.processInfo.activeProcessorCount) processors, "
      + ProcessInfo.processInfo.operatingSystemVersionString
    self.rounds = rounds
    self.calls = calls
    self.frida = frida
    self.batches = batches
    let median = { (name: String) in contestants.first { $0.name == name }?.median }
    let plain = median(Contestants.unhooked) ?? 0
    // Frida's process has a loop of its own.
    let fridaPlain = median("frida: process, unhooked") ?? plain
    self.contestants = contestants.map {
      Row(
        name: $0.name, minimum: $0.minimum.rounded3, median: $0.median.rounded3,
        added: ($0.median - ($0.name.hasPrefix("frida") ? fridaPlain : plain)).rounded3)
    }
    let rows = self.contestants
    let added = { (name: String) in rows.first { $0.name == name }?.added }
    targets =
      Self.promises.compactMap { promise in
        guard let mine = added(promise.mine), let other = added(promise.other), other > 0 else {
          return nil
        }
        return Target(name: promise.name, ratio: (mine / other).rounded3, target: promise.target)
      }
      + Target.presence(rows) + Target.batch(batches)
  }

  private static let promises: [(name: String, mine: String, other: String, target: Double)] = [
    ("pre + post in C against frida", Contestants.cHandlers, "frida: CModule enter + leave", 0.05),
    (
      "by prototype against a typed detour", Contestants.prototypeHandlers,
      Contestants.typedDetour, 1.3
    ),
    (
      "by prototype against one that can the same", Contestants.prototypeHandlers,
      Contestants.equalDetour, 1.3
    ),
    ("handlers in Swift against C", Contestants.swiftHandlers, Contestants.cHandlers, 1.1),
    (
      "typed handlers against C by prototype", Contestants.typedHandlers,
      Contestants.prototypeHandlers, 2.5
    ),
    (
      "by prototype against libffi", Contestants.prototypeHandlers, Contestants.closure, 1.0 / 12
    ),
  ]

  var text: String {
    var lines = [
      "ns per call, \(rounds) rounds of \(calls) calls".pad(44) + "minimum   median    added"
    ]
    for row in contestants {
      lines.append(
        "  " + row.name.pad(42) + [row.minimum, row.median, row.added].map { $0.cell }.joined())
    }
    lines.append("µs per function, all at once".pad(44) + "functions  install   remove")
    for batch in batches {
      lines.append(
        "  " + batch.name.pad(42) + Double(batch.functions).cell + " " + batch.install.cell
          + batch.remove.cell)
    }
    lines.append("targets".pad(44) + "  ratio   target")
    for target in targets {
      lines.append(
        "  " + target.name.pad(42)
          + String(
            format: "%7.3f  %7.3f  %@", target.ratio, target.target,
            target.isMet ? "met" : "MISSED"))
    }
    return lines.joined(separator: "\n")
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try (encoder.encode(self) + Data([10])).write(to: url)
  }
}

extension String {
  fileprivate func pad(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

extension Double {
  fileprivate var cell: String { String(format: "%7.2f  ", self) }
  /// Three digits behind the point.
  var rounded3: Double { (self * 1000).rounded() / 1000 }
}
