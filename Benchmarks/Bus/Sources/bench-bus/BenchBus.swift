// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Measures the bus beside the field's queues; `make bench-bus` calls it.
@main
struct BenchBus {
  /// What the command line asks for.
  struct Options {
    var folder = "."
    var json: String?
    var java: String?
    var rounds = 21
    var only: String?
  }

  static func main() {
    do {
      try run(parse(Array(CommandLine.arguments.dropFirst())))
    } catch {
      FileHandle.standardError.write(Data("bench-bus: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func parse(_ arguments: [String]) throws(RoundError) -> Options {
    var options = Options()
    var rest = arguments[...]
    while let flag = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw RoundError(
          description:
            "\(flag): usage is --folder DIR --json FILE --java CLASSES --rounds N --only NAME")
      }
      switch flag {
      case "--folder": options.folder = value
      case "--json": options.json = value
      case "--java": options.java = value
      case "--only": options.only = value
      case "--rounds":
        guard let rounds = Int(value), rounds > 0 else {
          throw RoundError(description: "--rounds \(value): needed is a number above 0")
        }
        options.rounds = rounds
      default: throw RoundError(description: "unknown option \(flag)")
      }
    }
    return options
  }

  private static func run(_ options: Options) throws {
    let environment = try Environment(sizesAt: "\(options.folder)/data/record-sizes.tsv")
    var contestants: [any Contestant] = [
      RingContestant(environment: environment),
      RingContestant(environment: environment, stampsInside: false),
    ]
    contestants += PeerContestant.all(in: environment) as [any Contestant]
    contestants += DispatchContestant.all() as [any Contestant]
    if let classes = options.java {
      let mix = FileManager.default.temporaryDirectory.appendingPathComponent(
        "kemon-bench-\(ProcessInfo.processInfo.processIdentifier).sizes")
      defer { try? FileManager.default.removeItem(at: mix) }
      try environment.sizes.map { "\($0)" }.joined(separator: " ")
        .write(to: mix, atomically: true, encoding: .utf8)
      contestants.append(
        try DisruptorContestant(
          classes: classes, library: "/usr/share/java/disruptor.jar", sizes: mix.path,
          cpus: environment.cpus))
      try measure(contestants, options, environment)
    } else {
      try measure(contestants, options, environment)
    }
  }

  private static func measure(
    _ contestants: [any Contestant], _ options: Options, _ environment: Environment
  ) throws {
    var report = Report(machine: environment.machine)
    for workload in Workload.all
    where options.only.map({ "\(workload.name) \(workload.sizeName)".hasPrefix($0) }) ?? true {
      report.add(
        try Tournament(workload, contestants, rounds: options.rounds, in: environment))
    }
    report.printSummary()
    if let json = options.json { try report.write(to: json) }
  }
}
