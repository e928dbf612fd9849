// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Let a session happen in the kernel model, and plugins decide.",
    discussion: """
      Without --session the model loads the kext com.mandiant.monitor; without --config, too, \
      kext-guard is told to deny it.
      """)

  @OptionGroup var plugins: PluginOptions
  @OptionGroup var events: EventOutputOptions
  @OptionGroup var session: SessionOptions
  @OptionGroup var flow: FlowOptions
  @OptionGroup var control: ControlOptions
  @OptionGroup var serve: ServeOptions

  @Option(
    name: [.short, .long], help: ArgumentHelp("Record the run, too.", valueName: "file"),
    completion: .file())
  var write: String?

  @Flag(help: "List the sessions that come with Kemon, one a line, and do nothing else.")
  var listSessions = false

  func run() throws {
    if listSessions { return SessionOptions.list() }
    try ModelRun(
      plugins: plugins, events: events, flow: flow, serve: serve, control: control,
      session: session,
      recording: write
    ).run(as: "run")
  }
}
