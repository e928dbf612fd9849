// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonBus
import KemonKernel
import KemonPluginHost
import KemonText

/// A session in the kernel model, from loading plugins to the summary: what `run` and `record` share.
struct ModelRun {
  let plugins: PluginOptions
  let events: EventOutputOptions
  let flow: FlowOptions
  /// Whom to serve the original's messages; nil for nobody.
  var serve: ServeOptions?
  let control: ControlOptions
  let session: SessionOptions
  /// The file to record to; nil for none.
  let recording: String?

  func run(as verb: String) throws {
    let subject = try session.read()
    let pipeline = try Pipeline(
      plugins, flow, events, mode: .run, overflow: .drop, release: subject.release)
    // A driver that nothing was said about is let through: the embedded rule belongs to the embedded session.
    let isEmbedded = session.isEmbedded && plugins.configurationFile == nil
    let rule = isEmbedded ? try JSONValue(parsing: PluginConfiguration.embedded) : .object([:])
    try pipeline.start(plugins, embedded: rule)
    if let recording {
      try pipeline.startRecording(to: recording, source: "model \(subject.title)")
    }
    try pipeline.control(control)
    try pipeline.serve(serve)
    let lines = try play(subject, pipeline)
    let report = pipeline.stop()
    if !flow.quiet {
      Summary.print(
        [
          (
            verb,
            "\(subject.title)  macOS \(subject.release.name)  "
              + "plugins \(pipeline.plugins.plugins.count)"
          ), ("events", "\(report.published.grouped) published"),
        ] + lines, report)
    }
    if let status = report.status(flow) { throw status }
  }

  private func play(
    _ subject: ModelSubject, _ pipeline: Pipeline
  ) throws -> [(String, String)] {
    do throws(KernelError) {
      let model = try KernelModel(
        release: subject.release, dispatcher: pipeline.dispatcher, isHooked: !session.isUnhooked)
      let lines = try subject.run(on: model, isVerbose: flow.verbose)
      try model.close()
      return lines
    } catch {
      pipeline.stop()
      Console.error("the kernel model: \(error)")
      throw ExitCode.failure
    }
  }
}
