// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "Look at plugins without running their code; lock, sign and control them.",
    subcommands: [
      PluginsListCommand.self, PluginsInfoCommand.self, PluginsLockCommand.self,
      PluginsKeygenCommand.self, PluginsSignCommand.self, PluginsVerifyCommand.self,
      PluginsReloadCommand.self,
      PluginsReconfigureCommand.self, PluginsEnableCommand.self, PluginsDisableCommand.self,
      PluginsSetModeCommand.self, PluginsResetCommand.self,
    ],
    defaultSubcommand: PluginsListCommand.self)
}
