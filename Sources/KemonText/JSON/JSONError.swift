// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, or not a path into it.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// The line, from 1.
  public let line: Int
  /// The column in characters, from 1.
  public let column: Int
  /// What was found and what is needed.
  public let message: String

  init(line: Int, column: Int, _ message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  /// The message with its place.
  public var description: String { "line \(line), column \(column): \(message)" }
}
