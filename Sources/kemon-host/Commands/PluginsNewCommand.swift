// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginCheck

struct PluginsNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Begin a plugin: a folder that builds, passes its checks, and has tests.")

  @Argument(help: "The plugin's name: lower case, digits and hyphens.")
  var name: String

  @Option(
    name: [.customLong("lang"), .customLong("language")],
    help: ArgumentHelp("c, c++, swift, rust or python.", valueName: "language"))
  var language = "c"

  @Option(
    help: ArgumentHelp("The new folder; by default it has the plugin's name.", valueName: "dir"),
    completion: .directory)
  var into: String?

  @Option(
    help: ArgumentHelp("The plugin SDK; by default the one beside this program.", valueName: "dir"),
    completion: .directory)
  var sdk: String?

  func run() throws {
    do throws(SuiteError) {
      let plugin = try NewPlugin(name, language: language, sdk: try SDKFolder(given: sdk))
      let folder = into ?? name
      for file in try plugin.write(into: folder) { Console.data("\(folder)/\(file)") }
      Console.note("\(folder)/README.md says how to build, check, test and run it")
    } catch {
      Console.error(error.description)
      throw ExitCode.failure
    }
  }
}
