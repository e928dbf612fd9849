// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginCheck

struct PluginsTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run a plugin's own tests: recorded events, and what must be decided.",
    discussion: """
      A test is a folder tests/NAME with events.jsonl (lines as event-log writes them) or \
      recording.kemon, expected.json, and config.json if the plugin needs one. Nothing is built. \
      Exit code 3 says that a test failed.
      """)

  @Argument(help: "The plugin's folder.", completion: .directory)
  var folder = "."

  @Option(
    help: ArgumentHelp(
      "The plugin's library; by default the one that was built in the folder.", valueName: "file"),
    completion: .file(extensions: ["so"]))
  var plugin: String?

  @Option(help: ArgumentHelp("Run this test only.", valueName: "name"))
  var only: [String] = []

  @Flag(help: "Write what is decided now into expected.json.")
  var update = false

  func run() throws {
    var failed = 0
    do throws(SuiteError) {
      let tests = try PluginTest.all(in: folder).filter { only.isEmpty || only.contains($0.name) }
      let library = if let plugin { plugin } else { try SuiteRun.library(in: folder) }
      let run = try SuiteRun(library: library)
      guard !tests.isEmpty else {
        throw SuiteError(folder, "no test is called \(only.joined(separator: ", "))")
      }
      for test in tests {
        if update {
          Console.data("\(try run.update(test) ? "updated" : "same   ")  \(test.name)")
          continue
        }
        let differences = try run.run(test)
        Console.data("\(differences.isEmpty ? "ok    " : "FAILED")  \(test.name)")
        for difference in differences { Console.data("        \(difference)") }
        if !differences.isEmpty { failed += 1 }
      }
    } catch {
      Console.error(error.description)
      throw ExitStatus.inputMissing
    }
    if failed > 0 { throw ExitStatus.expectationFailed }
  }
}
