// SPDX-License-Identifier: Apache-2.0

import CHookTargets
import Foundation
import KemonHooks

/// Measures hooks beside detours, libffi and frida, all in turns.
@main
struct BenchHooks {
  // A round of the slowest is shorter than what the system gives a thread at a time: few rounds are interrupted.
  private static let calls = 5000
  private static let rounds = 401
  private static let library = "libcrypto.so.3"

  static func main() {
    do {
      try run(Options(CommandLine.arguments))
    } catch {
      FileHandle.standardError.write(Data("bench-hooks: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ options: Options) throws {
    var batches = [try Batches.first(library)]
    var contestants = try Contestants.all()
    var frida: FridaPeer?
    if let python = options.python, let driver = options.driver {
      let loop = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("hook-loop").path
      let peer = try FridaPeer(python: python, driver: driver, loop: loop, library: library)
      frida = peer
      contestants.append(
        Contestant("frida: process, unhooked") { try peer.ask("plain \($0)").first ?? -1 })
      contestants.append(
        Contestant("frida: CModule enter + leave") { try peer.ask("hooked \($0)").first ?? -1 })
    }
    // Warm, then in turns, each time beginning with another one.
    for index in contestants.indices { _ = try contestants[index].measure(calls / 10) }
    for round in 0..<rounds {
      for step in contestants.indices {
        try contestants[(round + step) % contestants.count].run(calls: calls)
      }
    }
    for round in 0..<3 { batches.append(try Batches.own(library, count: 1000, round: round)) }
    if let frida {
      let answer = try frida.ask("batch")
      if answer.count == 3 {
        batches.append(
          Report.Batch(
            name: "frida, from JavaScript", functions: Int(answer[0]), install: answer[1].rounded3,
            remove: answer[2].rounded3))
      }
      frida.stop()
    }
    let report = Report(contestants, batches, rounds: rounds, calls: calls, frida: frida?.version)
    print(report.text)
    if let output = options.output { try report.write(to: output) }
  }
}

/// What stands on the command line.
struct Options {
  private(set) var python: String?
  private(set) var driver: String?
  private(set) var output: String?

  init(_ arguments: [String]) throws {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw BenchError("\(name) needs a value") }
      switch name {
      case "--python": python = value
      case "--driver": driver = value
      case "--output": output = value
      default:
        throw BenchError("unknown option \(name); known are --python, --driver and --output")
      }
    }
  }
}
