// SPDX-License-Identifier: Apache-2.0

public import KemonText

/// Why a file is not a session.
public struct SessionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file, as it was given.
  public let file: String
  /// Where in the text; nil for the whole file.
  public let place: TextPlace?
  /// Where in the JSON, as in `kexts[0].base`; empty for the whole file.
  public let path: String
  /// What was found and what is needed.
  public let message: String
  /// Whether the file could not be read at all.
  public let isUnreadable: Bool

  init(
    file: String, place: TextPlace? = nil, path: String = "", _ message: String,
    isUnreadable: Bool = false
  ) {
    self.file = file
    self.place = place
    self.path = path
    self.message = message
    self.isUnreadable = isUnreadable
  }

  /// The message with its place, as in `day.json:3:14: kexts[0].base: …`.
  public var description: String {
    let start = place.map { "\(file):\($0.line):\($0.column)" } ?? file
    return path.isEmpty ? "\(start): \(message)" : "\(start): \(path): \(message)"
  }
}
