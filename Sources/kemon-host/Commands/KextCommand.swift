// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct KextCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kext", abstract: "Look at kernel extensions of macOS.",
    subcommands: [KextInspectCommand.self])
}
