// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Make recordings from other tools' traces, and look into them.",
    subcommands: [TraceImportCommand.self, TraceInfoCommand.self])
}
