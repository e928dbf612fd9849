// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel
import KemonPluginHost

/// The command line: one subcommand per file under Commands/.
@main
struct KemonHost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kemon-host",
    abstract: "Lets plugins see events before and after they happen, and decide.",
    discussion: """
      A plugin is a shared library with a C entry. The host loads plugins from a folder, calls them \
      for every event, joins their votes, and enforces the verdict.

      Data goes to standard output, everything else to standard error.

      EXIT CODES
        0 ok                            6 no running host is reached
        1 another failure              64 usage
        2 input was cut or broken      65 bad data
        3 an expectation failed        66 input missing
        4 events were lost             77 no permission
        5 a required plugin is         78 configuration
          not running
      """,
    version: HostVersion.text,
    subcommands: [
      RunCommand.self, RecordCommand.self, ReplayCommand.self, BenchCommand.self,
      TraceCommand.self, PluginsCommand.self, EventsCommand.self, HooksCommand.self,
      KextCommand.self, MACCommand.self, VersionCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  static func main() {
    WorkerMain.runIfAsked { .mac(runningOn: $0) }
    do {
      var command = try parseAsRoot()
      try command.run()
      if Console.reportLostData() { throw ExitCode.failure }
    } catch {
      exit(withError: error)
    }
  }
}
