// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Whether clients of the 2018 Kemon's messages are served.
struct ServeOptions: ParsableArguments {
  @Option(
    name: .customLong("serve-original"),
    help: ArgumentHelp(
      "Send the 2018 Kemon's messages to the clients that connect to this Unix socket.",
      valueName: "socket"),
    completion: .file())
  var socket: String?

  @Option(
    help: ArgumentHelp("Begin when so many clients are connected to it.", valueName: "N"))
  var awaitClients = 0

  func validate() throws {
    guard (0...1000).contains(awaitClients) else {
      throw ValidationError("--await-clients \(awaitClients) is not between 0 and 1000")
    }
    if awaitClients > 0, socket == nil {
      throw ValidationError("--await-clients needs --serve-original")
    }
  }
}
