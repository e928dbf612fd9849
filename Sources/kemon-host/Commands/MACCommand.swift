// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct MACCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mac", abstract: "Look at the MAC policy tables of macOS kernels.",
    subcommands: [MACTablesCommand.self, MACHeaderCommand.self])
}
