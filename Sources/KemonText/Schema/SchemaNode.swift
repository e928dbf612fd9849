// SPDX-License-Identifier: Apache-2.0

/// The keywords of JSON Schema that Kemon knows.
enum SchemaKeyword: String, CaseIterable {
  // Says something to people only.
  case schema = "$schema", comment = "$comment", title, description, examples, deprecated, format
  // References inside the schema: `#/$defs/NAME`.
  case definitions = "$defs", reference = "$ref"
  case type, allowed = "enum", constant = "const", defaultValue = "default"
  case properties, required, additional = "additionalProperties", minProperties, maxProperties
  case dependentRequired
  case items, minItems, maxItems, uniqueItems
  case minLength, maxLength
  case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
  case allOf, anyOf, oneOf, not
}

/// A schema that was read, or a part of one.
struct SchemaNode: Sendable {
  enum Kind: String, CaseIterable {
    case null, boolean, integer, number, string, array, object
  }

  /// What members may be there that ``properties`` does not name.
  enum Additional: Sendable {
    case anything
    case nothing
    case schema(Box)
  }

  /// A node inside a node.
  final class Box: Sendable {
    let node: SchemaNode
    init(_ node: SchemaNode) { self.node = node }
  }

  /// Which one it is of those of its schema; copies have the same.
  let number: Int
  /// Nothing keeps the schema `false`.
  var isNever = false
  var kinds: [Kind]?
  var allowed: [JSONValue]?
  var defaultValue: JSONValue?
  var isSecret = false
  var reference: String?

  var properties: [String: SchemaNode] = [:]
  var required: [String] = []
  var dependent: [String: [String]] = [:]
  var additional = Additional.anything
  var memberCount = Limits()

  var items: Box?
  var elementCount = Limits()
  var areUnique = false

  var length = Limits()

  var minimum: Double?
  var maximum: Double?
  var above: Double?
  var below: Double?
  var step: Double?

  var allOf: [SchemaNode] = []
  var anyOf: [SchemaNode] = []
  var oneOf: [SchemaNode] = []
  var not: Box?

  init(number: Int) { self.number = number }

  /// How many there may be of something.
  struct Limits: Sendable {
    var least: Int?
    var most: Int?

    /// What is needed when a count is outside of the limits; nil when it is inside.
    func broken(by count: Int, _ one: String, _ many: String) -> String? {
      if let least, count < least { return "at least \(least) \(least == 1 ? one : many)" }
      if let most, count > most { return "at most \(most) \(most == 1 ? one : many)" }
      return nil
    }
  }
}

extension JSONValue {
  /// Whether the value is of a schema's type; 1.0 is an integer.
  func isOf(_ kind: SchemaNode.Kind) -> Bool {
    switch (kind, self) {
    case (.null, .null), (.boolean, .bool), (.string, .string), (.array, .array),
      (.object, .object), (.integer, .integer), (.number, .integer), (.number, .number):
      true
    case (.integer, .number(let number)): number == number.rounded()
    default: false
    }
  }

  /// The number, when the value is one.
  var double: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// Whether two values are the same in JSON Schema: 1 and 1.0 are.
  func isSame(as other: JSONValue) -> Bool {
    switch (self, other) {
    case (.integer(let left), .number(let right)), (.number(let right), .integer(let left)):
      Double(left) == right
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    case (.object(let left), .object(let right)):
      left.count == right.count
        && left.allSatisfy { name, value in right[name].map { value.isSame(as: $0) } ?? false }
    default: self == other
    }
  }
}
