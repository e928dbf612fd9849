// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonText

struct PluginsReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Replace a plugin of a running host by a new generation, made from its file.",
    discussion: """
      No event is lost or seen twice. What is wrong with the new generation leaves the old one as it \
      was; when one of its handlers fails in its first events, the old one comes back.
      """)

  @OptionGroup var plugin: RunningPluginOptions

  @Option(
    help: ArgumentHelp(
      "Watch so many calls of the new generation's handlers; 0 lets the old one go at once.",
      valueName: "N"))
  var trialEvents = PluginHost.trialEvents

  func run() throws {
    let answer = try plugin.ask("reload", ["trial_events": .integer(Int64(trialEvents))])
    let made = RunningPlugin(answer["plugin"])
    let code = answer["reuses_code"]?.bool == true ? "the same code" : "new code"
    let state = answer["state_bytes"]?.integer.map { ", \($0) bytes of state" } ?? ""
    Console.note(
      "\(plugin.name): generation \(made.generation), version \(made.version), \(code)\(state)")
  }
}

struct PluginsReconfigureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconfigure",
    abstract: "Give a plugin of a running host another configuration, all of it or none.")

  @OptionGroup var plugin: RunningPluginOptions

  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "A JSON file, as for run: {\"plugins\": {\"NAME\": {…}}}.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var configurationFile: String

  func run() throws {
    let all = try PluginConfiguration.read(file: configurationFile).configurations
    guard let mine = all.members?[plugin.name] else {
      Console.error("\(configurationFile): \"plugins\" has no member \"\(plugin.name)\"")
      throw ExitStatus.configuration
    }
    try plugin.ask("reconfigure", ["config": mine], saying: "reconfigured")
  }
}

struct PluginsEnableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Let the handlers of a plugin of a running host be called again.")

  @OptionGroup var plugin: RunningPluginOptions

  func run() throws { try plugin.ask("enable", saying: "enabled") }
}

struct PluginsDisableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Let the handlers of a plugin of a running host not be called for a while.")

  @OptionGroup var plugin: RunningPluginOptions

  func run() throws { try plugin.ask("disable", saying: "disabled") }
}

struct PluginsSetModeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-mode",
    abstract: "Decide whether the votes of a plugin of a running host count.")

  // Not the group: the mode stands behind the name.
  @Argument(help: "The plugin's name.")
  var name: String

  @Argument(help: "enforce: they count. monitor: they are only recorded.")
  var mode: EnforcementMode

  @OptionGroup var host: RunningHostOptions

  func run() throws {
    _ = try host.ask("set-mode", ["plugin": .string(name), "mode": .string(mode.rawValue)])
    Console.note("\(name): mode \(mode.rawValue)")
  }
}

struct PluginsResetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Forget the strikes of a plugin of a running host, and end its quarantine.")

  @OptionGroup var plugin: RunningPluginOptions

  func run() throws { try plugin.ask("reset", saying: "strikes forgotten") }
}
