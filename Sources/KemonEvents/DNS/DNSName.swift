// SPDX-License-Identifier: Apache-2.0

/// A domain name: its labels as they came, any bytes.
public struct DNSName: Hashable, Sendable {
  /// Bytes that a name may have in a message, lengths and the root's zero counted (RFC 1035, 2.3.4).
  static let limit = 255

  /// Each label behind its length; without the root's zero.
  let wire: [UInt8]

  init(wire: [UInt8]) { self.wire = wire }

  /// Whether it has no labels.
  public var isRoot: Bool { wire.isEmpty }

  /// The labels joined by dots, without the final dot: empty for the root.
  ///
  /// A dot inside a label is not told apart.
  public var dotted: [UInt8] {
    var text: [UInt8] = []
    forEachLabel { label in
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      text.append(contentsOf: label)
    }
    return text
  }

  /// The name for people, as in a zone file: `.` for the root, `\.` and `\\` inside labels, `\000` for other bytes.
  public var display: String {
    guard !wire.isEmpty else { return "." }
    var text = ""
    forEachLabel { label in
      if !text.isEmpty { text += "." }
      for byte in label { text += Self.escaped(byte) }
    }
    return text
  }

  private func forEachLabel(_ body: (ArraySlice<UInt8>) -> Void) {
    var position = 0
    while position < wire.count {
      let end = position + 1 + Int(wire[position])
      body(wire[position + 1..<end])
      position = end
    }
  }

  private static func escaped(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "."): "\\."
    case UInt8(ascii: "\\"): "\\\\"
    case 0x21...0x7E: String(UnicodeScalar(byte))
    default: "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + "\(byte)"
    }
  }
}
