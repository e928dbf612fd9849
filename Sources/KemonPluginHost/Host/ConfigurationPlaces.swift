// SPDX-License-Identifier: Apache-2.0

public import KemonText

/// Where configurations stand in the file that they were read from.
public struct ConfigurationPlaces: Sendable {
  private let file: String
  private let bytes: [UInt8]
  private let root: JSONNode

  /// The places of a file.
  ///
  /// - Parameters:
  ///   - file: its name, for messages.
  ///   - bytes: its text, an object with the plugins' configurations in its member `plugins`.
  /// - Throws: that the text is not JSON.
  public init(file: String, bytes: [UInt8]) throws(JSONError) {
    self.file = file
    self.bytes = bytes
    root = try JSONNode(parsing: bytes)
  }

  /// File, line and column of a part of a plugin's configuration; nil when it came from elsewhere, as from `--set`.
  func place(of path: String, in plugin: String, of value: JSONValue) -> String? {
    let inFile = root.value.value(at: "plugins")?.members?[plugin]
    guard let inFile, inFile.value(at: path) == value.value(at: path) else { return nil }
    let whole = "plugins.\(plugin)" + (path.isEmpty || path.hasPrefix("[") ? path : ".\(path)")
    return "\(file), \(TextPlace(of: root.offset(at: whole), in: bytes))"
  }
}
