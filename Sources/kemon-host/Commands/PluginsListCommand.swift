// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonText

struct PluginsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the plugins of folders, and what is wrong with those that cannot be loaded.")

  @Option(
    name: .customLong("plugins"),
    help: ArgumentHelp("A folder with plugins (*.so), or one plugin.", valueName: "dir"),
    completion: .directory)
  var paths: [String]

  @Option(name: [.customShort("o"), .long], help: "How the list is written.")
  var output: ReportFormat = .text

  func run() throws {
    let inspections = PluginScanner.inspect(directories: paths)
    switch output {
    case .text:
      var table = Table("NAME", "VERSION", "ABI", "STATE", "SHA256", "FILE")
      for inspection in inspections {
        let manifest = inspection.manifest
        table.add(
          manifest?.name ?? "-", manifest?.version ?? "-", manifest.map { String($0.abi) } ?? "-",
          inspection.problems.isEmpty ? "ok" : "refused",
          inspection.sha256.map { String($0.prefix(12)) } ?? "-", inspection.file)
      }
      Console.data(table.text)
      for problem in inspections.flatMap(\.problems) {
        Console.warning(problem.description)
      }
    case .json:
      Console.data(
        JSONValue.object(["plugins": .array(inspections.map(\.json))]).text)
    }
  }
}
