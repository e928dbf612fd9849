// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel

struct MACHeaderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "header",
    abstract: "Print the C header that policies of a release are compiled with.",
    discussion: """
      A library that is compiled with it registers in the model with mac_policy_register, as a kext does: \
      {"load_policy": "./libpolicy.so"} in a session.
      """)

  @Argument(help: "The release, as in 10.13.6 or 4570.71.2.", transform: MACRelease.parse)
  var release: MACRelease

  func run() { Console.data(MACHeader(release).text) }
}
