// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KemonRecording

/// Opening recordings for a command: what is wrong is said, what is good is kept.
enum RecordingFile {
  /// Opens a recording.
  ///
  /// - Throws: an exit code, after saying why it cannot be opened.
  static func open(_ path: String) throws -> RecordingReader {
    do {
      return try RecordingReader(opening: path)
    } catch {
      Console.error(error.description)
      throw RecordingStatus.of(error)
    }
  }

  /// Refuses what is no name of a new recording.
  ///
  /// - Throws: a usage error.
  static func checkTarget(_ path: String) throws {
    guard path != "-", !path.isEmpty else {
      throw ValidationError("\"\(path)\": needed is a file, a recording cannot be streamed")
    }
  }

  /// Says which rows of a recording were not read.
  ///
  /// - Throws: exit code 2 when there are any.
  static func report(_ outcome: RecordingReader.Outcome, of path: String) throws {
    for row in outcome.skippedRows { Console.warning("\(path): \(row)") }
    if outcome.skipped > outcome.skippedRows.count {
      Console.warning(
        "\(path): \(outcome.skipped - outcome.skippedRows.count) more rows are broken")
    }
    if let damage = outcome.damage {
      Console.warning("\(damage); the \(outcome.read.grouped) events before it were read")
    }
    if !outcome.isComplete { throw ExitStatus.incompleteInput }
  }

  /// A time as in `2018-08-01T17:55:36Z`.
  static func time(_ nanoseconds: UInt64) -> String {
    Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)
      .formatted(.iso8601)
  }
}
