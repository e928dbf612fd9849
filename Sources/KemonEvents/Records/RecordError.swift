// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a record.
public struct RecordError: Error, Equatable, CustomStringConvertible {
  /// The rule that is broken.
  public enum Code: Sendable {
    /// The bytes end before the record does, or the record before its header.
    case tooShort
    /// The record does not start at a multiple of 8.
    case misaligned
    /// A header field is impossible.
    case badHeader
    /// A section lies outside the record.
    case outOfBounds
    /// A text is not ended by a NUL inside the record.
    case unterminated
  }

  /// The rule that is broken.
  public let code: Code
  /// Offset of the offending field from the start of the record, in bytes.
  public let offset: Int
  /// What was found and what is needed.
  public let message: String

  /// Makes an error about a byte of a record.
  public init(_ code: Code, at offset: Int, _ message: String) {
    self.code = code
    self.offset = offset
    self.message = message
  }

  /// The message with its place.
  public var description: String { "record byte \(offset): \(message)" }
}
