// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Imports the log of Santa, the binary authorisation system for macOS.
///
/// Santa logs what is done: an event has the post side only, but for executions, where Santa's own decision is the
/// verdict of a pre side.
struct SantaImporter: TraceImporter {
  static let name = "santa"
  static let summary = "log of Santa on macOS: executions with decisions, changes of files"
  static let howToMake = """
    /var/db/santa/santa.log, with EventLogType = filelog (the default)
    """

  private static let lineLimit = 1 << 20

  func run(_ input: ImportInput, _ sink: inout ImportSink) throws(RecordingError) {
    var number = 0
    while let line = input.line(limit: Self.lineLimit) {
      number += 1
      sink.read()
      switch line {
      case .tooLong(let count):
        sink.skip("broken line")
        sink.problem(at: "line \(number)", "\(count) bytes, above \(Self.lineLimit)")
      case .unended where input.failure != nil:
        // What is left of it may look whole, with half of a path.
        sink.skip("broken line")
      case .text(let bytes):
        try add(String(decoding: bytes, as: UTF8.self), number, isEnded: true, &sink)
      case .unended(let bytes):
        try add(String(decoding: bytes, as: UTF8.self), number, isEnded: false, &sink)
      }
    }
  }

  private func add(
    _ text: String, _ number: Int, isEnded: Bool, _ sink: inout ImportSink
  ) throws(RecordingError) {
    if text.isEmpty { return sink.skip("empty line") }
    let line: SantaLine
    do throws(SantaLine.Failure) {
      line = try SantaLine(text)
    } catch {
      switch error {
      case .notAnEvent:
        sink.skip("not an event")
      case .broken(let what):
        sink.skip("broken line")
        sink.problem(at: "line \(number)", what)
      }
      return
    }
    guard let event = Event(line) else { return sink.skip(noKindFor: line.action) }
    try event.tell(line, isEnded: isEnded, &sink)
    sink.use()
  }
}
