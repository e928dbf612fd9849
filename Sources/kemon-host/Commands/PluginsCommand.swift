// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "Look at plugins without running any of their code.",
    subcommands: [PluginsListCommand.self, PluginsInfoCommand.self],
    defaultSubcommand: PluginsListCommand.self)
}
