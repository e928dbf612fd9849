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
  let session: SessionOptions
  /// The file to record to; nil for none.
  let recording: String?

  func run(as verb: String) throws {
    let session = try session.read()
    let pipeline = Pipeline(plugins, flow, events, mode: .run, overflow: .drop)
    // A driver that nothing was said about is let through: the embedded rule belongs to the embedded session.
    let isEmbedded = self.session.session == nil && plugins.configurationFile == nil
    let rule = isEmbedded ? try JSONValue(parsing: PluginConfiguration.embedded) : .object([:])
    try pipeline.start(plugins, embedded: rule)
    if let recording {
      try pipeline.startRecording(to: recording, source: "model session \(session.name)")
    }
    try pipeline.serve(serve)
    let result = try play(session, pipeline)
    let report = pipeline.stop()
    if !flow.quiet {
      Summary.print(
        [
          (
            verb,
            "session \(session.name)  macOS \(session.release.name)  "
              + "plugins \(pipeline.plugins.plugins.count)"
          ), ("events", "\(report.published.grouped) published"),
        ] + StepReport.lines(result, all: flow.verbose), report)
    }
    if let status = report.status(flow) { throw status }
  }

  private func play(_ session: Session, _ pipeline: Pipeline) throws -> SessionResult {
    do throws(KernelError) {
      let model = try KernelModel(release: session.release, dispatcher: pipeline.dispatcher)
      let result = try model.run(session)
      try model.close()
      return result
    } catch {
      pipeline.stop()
      Console.error("the kernel model: \(error)")
      throw ExitCode.failure
    }
  }
}
