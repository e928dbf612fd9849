// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonText

struct PluginsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the plugins of folders, and what is wrong with those that cannot be loaded; or "
      + "those of a running host.")

  @Option(
    name: .customLong("plugins"),
    help: ArgumentHelp("A folder with plugins (*.so), or one plugin.", valueName: "dir"),
    completion: .directory)
  var paths: [String] = []

  @Option(
    name: .customLong("control"),
    help: ArgumentHelp(
      "Instead of folders: the socket that a running host was started with.", valueName: "socket"),
    completion: .file())
  var socket: String?

  @OptionGroup var trust: TrustOptions

  @Option(name: [.customShort("o"), .long], help: "How the list is written.")
  var output: ReportFormat = .text

  func validate() throws {
    guard paths.isEmpty != (socket == nil) else {
      throw ValidationError("either --plugins or --control says which plugins are listed")
    }
  }

  func run() throws {
    if let socket { return try listRunning(socket) }
    let inspections = PluginScanner.inspect(directories: paths, trust: try trust.policy())
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

  private func listRunning(_ socket: String) throws {
    let answer = try RunningHost.ask(socket, ["do": .string("list")])
    let plugins = answer["plugins"]?.elements ?? []
    switch output {
    case .text: Console.data(RunningPlugin.table(plugins.map { RunningPlugin($0) }))
    case .json: Console.data(JSONValue.object(["plugins": .array(plugins)]).text)
    }
  }
}
