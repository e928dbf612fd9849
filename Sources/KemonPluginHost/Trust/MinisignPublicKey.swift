// SPDX-License-Identifier: Apache-2.0

/// A public key as minisign writes it: who may have signed a plugin.
public struct MinisignPublicKey: Sendable, Hashable {
  /// The number by which signatures name it.
  let id: [UInt8]
  let key: [UInt8]

  init(id: [UInt8], key: [UInt8]) {
    self.id = id
    self.key = key
  }

  /// Reads the base64 line of a key.
  public init(base64 line: String) throws(MinisignError) {
    let bytes = try MinisignText.bytes(ofBase64: line, count: 42, what: "a public key")
    guard bytes[..<2].elementsEqual("Ed".utf8) else {
      throw MinisignError(
        .format, "found algorithm \(MinisignText.quote(bytes[..<2])), needed is Ed")
    }
    id = Array(bytes[2..<10])
    key = Array(bytes[10...])
  }

  /// Reads a file's text: a comment, and the key.
  public init(parsing text: String) throws(MinisignError) {
    let lines = MinisignText.lines(of: text)
    guard lines.count == 2, lines[0].hasPrefix(MinisignText.untrusted) else {
      throw MinisignError(
        .format, "needed are two lines: \(MinisignText.untrusted)…, and the key")
    }
    try self.init(base64: String(lines[1]))
  }

  /// The key as one line of base64.
  public var base64: String { MinisignText.base64(Array("Ed".utf8) + id + key) }

  /// The key's number, as minisign tells it.
  public var name: String { MinisignText.name(of: id) }

  /// The text of a file.
  public var text: String { "\(MinisignText.untrusted)minisign public key \(name)\n\(base64)\n" }
}
