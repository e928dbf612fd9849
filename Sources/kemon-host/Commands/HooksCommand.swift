// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct HooksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hooks", abstract: "Look at what hooks do to the code of libraries.",
    subcommands: [HooksSurveyCommand.self])
}
