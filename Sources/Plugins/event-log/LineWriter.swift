// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Turns records into lines in a buffer of its own and hands them to the host.
///
/// Not locked: the observer's thread alone writes, and the host calls `stop` after the last handler has returned.
final class LineWriter: @unchecked Sendable {
  private let output: Output
  private let json: JSONFormatter?
  private var text: TextFormatter
  private var line = LineBuffer()

  /// Writes the original's lines.
  init(_ output: Output, dialect: Dialect, width: HexDump) {
    self.output = output
    json = nil
    text = TextFormatter(dialect: dialect, width: width)
  }

  /// Writes JSON lines.
  init(_ output: Output, jsonLinesWith names: Names?, _ schema: Schema?) {
    self.output = output
    json = JSONFormatter(names: names, schema: schema)
    text = TextFormatter(dialect: .year2018)
  }

  /// Writes what is to be said of one record.
  func write(_ record: RecordView) {
    line.truncate(to: 0)
    if let json { json.append(record, to: &line) } else { text.append(record, to: &line) }
    output.write(line.bytes)
  }

  /// Writes what was held back, when no more records come.
  func finish() {
    line.truncate(to: 0)
    text.finish(&line)
    output.write(line.bytes)
  }
}
