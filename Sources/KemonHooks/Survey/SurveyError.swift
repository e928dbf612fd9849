// SPDX-License-Identifier: Apache-2.0

/// Why a library cannot be surveyed.
public struct SurveyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Code: Sendable {
    /// The file cannot be opened, read or mapped.
    case unreadable
    /// It is something else than a shared library for this processor.
    case notALibrary
    /// A number in the file cannot be true.
    case damaged
  }

  /// What is wrong.
  public let code: Code
  /// The file as it was named.
  public let path: String
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, _ path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// The file and the message.
  public var description: String { "\(path): \(message)" }
}
