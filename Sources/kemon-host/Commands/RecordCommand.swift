// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Record what happens in the kernel model; plugins only observe.",
    discussion: """
      Votes are recorded as what plugins would have said. With --mode enforce they count, as in run \
      --write.
      """)

  @OptionGroup var plugins: PluginOptions
  @OptionGroup var events: EventOutputOptions
  @OptionGroup var session: SessionOptions
  @OptionGroup var flow: FlowOptions
  @OptionGroup var control: ControlOptions

  @Option(
    name: [.short, .long], help: ArgumentHelp("The new recording.", valueName: "file"),
    completion: .file())
  var write: String

  func run() throws {
    var plugins = plugins
    plugins.mode = plugins.mode ?? .monitor
    try ModelRun(
      plugins: plugins, events: events, flow: flow, control: control, session: session,
      recording: write
    ).run(as: "record")
  }
}
