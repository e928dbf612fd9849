// SPDX-License-Identifier: Apache-2.0

import CCalls
import Foundation
import KemonBus
import KemonPluginHost

/// Measures calls of handlers: through a bare pointer, through libffi, in process, and in a worker.
@main
struct BenchPlugins {
  static func main() {
    // This program is its own worker.
    WorkerMain.runIfAsked()
    Batches.answerIfAsked()
    do {
      let options = try Options(CommandLine.arguments)
      let report = Report(try measure(options))
      print(report.text)
      if let output = options.output { try report.write(to: output) }
    } catch {
      FileHandle.standardError.write(Data("bench-plugins: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func measure(_ options: Options) throws -> [Row] {
    let rounds = 9
    let calls = 2_000_000
    var rows = [
      Row("a bare function pointer", rounds: rounds, calls: calls) {
        calls_through_pointer(UInt64(calls))
      },
      Row("ffi_call", rounds: rounds, calls: calls) { calls_through_ffi(UInt64(calls)) },
    ]
    rows += try Voters.measure(options.plugin, rounds: rounds)
    if let typed = options.typed { rows += try TypedVoters.measure(typed, rounds: rounds) }
    rows += try Observers.measure(options.plugin, rounds: 5)
    rows += try Batches.measure(rounds: rounds)
    if let python = options.python { rows += try Voters.measure(python: python) }
    return rows
  }
}

/// What stands on the command line.
struct Options {
  private(set) var plugin = ""
  private(set) var python: String?
  private(set) var typed: String?
  private(set) var output: String?

  init(_ arguments: [String]) throws {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw BenchError("\(name) needs a value") }
      switch name {
      case "--plugin": plugin = value
      case "--python": python = value
      case "--typed": typed = value
      case "--output": output = value
      default:
        throw BenchError(
          "unknown option \(name); known are --plugin, --python, --typed and --output")
      }
    }
    if plugin.isEmpty { throw BenchError("--plugin is needed: the library of noop.c") }
  }
}

/// Why there is no figure.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
