// SPDX-License-Identifier: Apache-2.0

/// A configuration as a test writes it: `["deny": [["id": "com.example.*"]]]`.
public indirect enum ConfigValue: Sendable {
  /// JSON's null.
  case null
  /// true or false.
  case boolean(Bool)
  /// A whole number.
  case integer(Int64)
  /// A number with a fraction.
  case number(Double)
  /// A text.
  case string(String)
  /// An array.
  case array([ConfigValue])
  /// An object.
  case object([String: ConfigValue])

  /// The value at a path, as in `deny[0].id`.
  ///
  /// nil when there is none; the empty path is the value itself.
  public subscript(path path: String) -> ConfigValue? {
    var value = self
    for step in path.split(whereSeparator: { $0 == "." || $0 == "[" }) {
      switch value {
      case .array(let elements) where step.last == "]":
        guard let index = Int(step.dropLast()), elements.indices.contains(index) else { return nil }
        value = elements[index]
      case .object(let members) where step.last != "]":
        guard let member = members[String(step)] else { return nil }
        value = member
      default:
        return nil
      }
    }
    return value
  }
}

extension ConfigValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByFloatLiteral, ExpressibleByNilLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// true or false.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// A number with a fraction.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// JSON's null.
  public init(nilLiteral: ()) { self = .null }
  /// An array.
  public init(arrayLiteral elements: ConfigValue...) { self = .array(elements) }
  /// An object; of two members with one name the last counts.
  public init(dictionaryLiteral members: (String, ConfigValue)...) {
    self = .object(Dictionary(members, uniquingKeysWith: { $1 }))
  }
}

extension ConfigValue: Decodable {
  /// Reads JSON.
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let truth = try? value.decode(Bool.self) {
      self = .boolean(truth)
    } else if let number = try? value.decode(Int64.self) {
      self = .integer(number)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let elements = try? value.decode([ConfigValue].self) {
      self = .array(elements)
    } else {
      self = .object(try value.decode([String: ConfigValue].self))
    }
  }
}

extension ConfigValue {
  /// The value as JSON: what `kemon_create.config_json` is.
  public var json: String {
    switch self {
    case .null: "null"
    case .boolean(let truth): truth ? "true" : "false"
    case .integer(let number): String(number)
    case .number(let number): String(number)
    case .string(let text): Self.quote(text)
    case .array(let elements): "[" + elements.map(\.json).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }
        .map { Self.quote($0.key) + ": " + $0.value.json }.joined(separator: ", ") + "}"
    }
  }

  private static func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
