// SPDX-License-Identifier: Apache-2.0

/// Why a recording cannot be opened, read or written.
public struct RecordingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Code: Sendable, Equatable {
    /// The file does not exist, or the system does not let it be opened.
    case cannotOpen
    /// A new recording was asked for, but there is a file already.
    case exists
    /// The file is something else.
    case notARecording
    /// The recording was written in another version of the schema.
    case wrongVersion(found: Int, needed: Int)
    /// The file is cut short or its pages are broken: what could be read was read.
    case damaged
    /// The disk or the size that the recording may have is full.
    case full
    /// Writing failed for another reason.
    case cannotWrite
  }

  /// What went wrong.
  public let code: Code
  /// The file.
  public let path: String
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, _ path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  /// The message with its file.
  public var description: String { "\(path): \(message)" }
}
