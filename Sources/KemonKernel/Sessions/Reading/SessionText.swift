// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// The text of a session while it is read: where errors are.
final class SessionText: Sendable {
  let file: String
  private let bytes: [UInt8]

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// The whole text as one value.
  func root() throws(SessionError) -> SessionValue {
    do {
      return SessionValue(node: try JSONNode(parsing: bytes), path: "", text: self)
    } catch {
      throw SessionError(
        file: file, place: TextPlace(line: error.line, column: error.column), error.message)
    }
  }

  /// An error at a byte of the text.
  func error(at offset: Int, path: String, _ message: String) -> SessionError {
    SessionError(file: file, place: TextPlace(of: offset, in: bytes), path: path, message)
  }

  /// The line of a byte, from 1.
  func line(at offset: Int) -> Int { TextPlace(of: offset, in: bytes).line }
}
