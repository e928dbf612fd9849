// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "Look at plugins, check them, begin new ones; lock, sign and control them.",
    subcommands: [
      PluginsListCommand.self, PluginsInfoCommand.self, PluginsLockCommand.self,
      PluginsKeygenCommand.self, PluginsSignCommand.self, PluginsVerifyCommand.self,
      PluginsReloadCommand.self,
      PluginsReconfigureCommand.self, PluginsEnableCommand.self, PluginsDisableCommand.self,
      PluginsSetModeCommand.self, PluginsResetCommand.self, PluginsCheckCommand.self,
      PluginsNewCommand.self, PluginsTestCommand.self, CheckOneCommand.self,
    ],
    defaultSubcommand: PluginsListCommand.self)
}
