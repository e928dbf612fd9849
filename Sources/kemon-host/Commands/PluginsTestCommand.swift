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
      "The plugin; by default the program that the folder is, or the library that was built in it.",
      valueName: "file"),
    completion: .file(extensions: ["so"]))
  var plugin: String?

  @Option(help: ArgumentHelp("Run this test only.", valueName: "name"))
  var only: [String] = []

  @Flag(help: "Run the plugin in a process of its own, as a program always is.")
  var isolate = false

  @Flag(help: "Write what is decided now into expected.json.")
  var update = false

  func run() throws {
    var failed = 0
    do throws(SuiteError) {
      let tests = try PluginTest.all(in: folder).filter { only.isEmpty || only.contains($0.name) }
      let plugin = if let plugin { plugin } else { try SuiteRun.plugin(in: folder) }
      let run = try SuiteRun(plugin: plugin, isIsolated: isolate)
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
