// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version of the host and of the plugin ABI.")

  func run() { Console.data(HostVersion.text) }
}
