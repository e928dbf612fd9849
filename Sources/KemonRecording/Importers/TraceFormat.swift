// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// A kind of trace that can be made into a recording: what `--from NAME` names.
public struct TraceFormat: Sendable {
  private let importer: any TraceImporter.Type

  /// The formats that are known: a new one is a type and a line here.
  public static let all: [TraceFormat] = [
    TraceFormat(importer: SysdigImporter.self),
    TraceFormat(importer: TraceeImporter.self),
    TraceFormat(importer: PcapImporter.self),
    TraceFormat(importer: SantaImporter.self),
  ]

  /// The format of that name, if there is one.
  public static func named(_ name: String) -> TraceFormat? { all.first { $0.name == name } }

  /// The name that `--from` takes.
  public var name: String { importer.name }
  /// What it is, in a line.
  public var summary: String { importer.summary }
  /// How such a trace is made: a command line or a path, with what matters about it.
  public var howToMake: String { importer.howToMake }

  /// Imports a trace into a recording.
  ///
  /// Bad input is not an error: it is in the report, and what is good around it is imported.
  ///
  /// - Parameters:
  ///   - path: the trace, plain or gzip; `-` means standard input.
  ///   - writer: gets the events; not closed.
  ///   - progress: is told now and then how many bytes of the trace were read, after decompression.
  /// - Returns: what was read, written and skipped.
  /// - Throws: ``RecordingError`` when the trace cannot be opened or the recording cannot be written.
  public func importTrace(
    from path: String, into writer: RecordingWriter, progress: ((Int) -> Void)? = nil
  ) throws(RecordingError) -> ImportReport {
    let input = try ImportInput(path: path)
    input.progress = progress
    try writer.set(meta: ["source": path, "format": name])
    let report = try run(input) { record throws(RecordingError) in try writer.append(record) }
    try writer.commit()
    return report
  }

  func run(
    _ input: ImportInput,
    _ output: @escaping (RecordView) throws(RecordingError) -> Void
  ) throws(RecordingError) -> ImportReport {
    var sink = ImportSink(format: name, output: output)
    var importer = importer.init()
    try importer.run(input, &sink)
    if let failure = input.failure {
      sink.problem(at: "byte \(input.offset)", failure.message)
    }
    return sink.report
  }
}

/// Reads one kind of trace.
///
/// For each record of its input it calls ``ImportSink/read()`` once, and either `use` or `skip`.
protocol TraceImporter: SendableMetatype {
  /// What `--from` takes.
  static var name: String { get }
  /// What it is, in a line.
  static var summary: String { get }
  /// How such a trace is made.
  static var howToMake: String { get }

  init()

  /// Reads the input to its end; of broken input as much as possible.
  mutating func run(_ input: ImportInput, _ sink: inout ImportSink) throws(RecordingError)
}
