// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
  /// The value as one line of JSON, members in the order of their names.
  public var text: String {
    var out = ""
    write(to: &out)
    return out
  }

  /// The value as JSON for people: a line for each element and member, in the order of the names.
  public var indentedText: String {
    var out = ""
    write(to: &out, indent: 0)
    return out
  }

  /// Writes the value; on one line when there is no indent.
  private func write(to out: inout String, indent: Int? = nil) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    case .number(let value): out += String(value)
    case .string(let value): Self.quote(value, to: &out)
    case .array(let elements):
      Self.list("[", elements, "]", to: &out, indent: indent) { element, out, indent in
        element.write(to: &out, indent: indent)
      }
    case .object(let members):
      let sorted = members.sorted { $0.key < $1.key }
      Self.list("{", sorted, "}", to: &out, indent: indent) { member, out, indent in
        Self.quote(member.key, to: &out)
        out += ": "
        member.value.write(to: &out, indent: indent)
      }
    }
  }

  private static func list<Item>(
    _ opening: String, _ items: [Item], _ closing: String, to out: inout String, indent: Int?,
    _ write: (Item, _ out: inout String, _ indent: Int?) -> Void
  ) {
    let inner = indent.map { $0 + 2 }
    func newLine(_ indent: Int?) -> String {
      guard let indent, !items.isEmpty else { return "" }
      return "\n" + String(repeating: " ", count: indent)
    }
    out += opening
    for (index, item) in items.enumerated() {
      if index > 0 { out += indent == nil ? ", " : "," }
      out += newLine(inner)
      write(item, &out, inner)
    }
    out += newLine(indent) + closing
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\0"..<" ", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
