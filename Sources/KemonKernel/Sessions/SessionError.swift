// SPDX-License-Identifier: Apache-2.0

/// Why a file is not a session.
public struct SessionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file, as it was given.
  public let file: String
  /// Where in the JSON, as in `kexts[0].base`; empty for the whole file.
  public let path: String
  /// What was found and what is needed.
  public let message: String
  /// Whether the file could not be read at all.
  public let isUnreadable: Bool

  init(file: String, path: String = "", _ message: String, isUnreadable: Bool = false) {
    self.isUnreadable = isUnreadable
    self.file = file
    self.path = path
    self.message = message
  }

  /// The message with its place.
  public var description: String {
    path.isEmpty ? "\(file): \(message)" : "\(file): \(path): \(message)"
  }
}
