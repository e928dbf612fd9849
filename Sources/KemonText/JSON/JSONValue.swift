// SPDX-License-Identifier: Apache-2.0

/// A JSON value: what manifests and configurations are made of.
///
/// Integers keep all 64 bits; whatever is written with a fraction or an exponent, or does not fit, is a
/// ``number(_:)``.
public enum JSONValue: Equatable, Sendable {
  /// Nothing.
  case null
  /// True or false.
  case bool(Bool)
  /// A number without fraction and exponent that fits 64 bits.
  case integer(Int64)
  /// Any other number; always finite.
  case number(Double)
  /// A text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Named members, in no order.
  case object([String: JSONValue])

  /// The members when the value is an object.
  public var members: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The elements when the value is an array.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The text when the value is one.
  public var string: String? {
    if case .string(let string) = self { string } else { nil }
  }

  /// The number when the value is a whole one.
  public var integer: Int64? {
    if case .integer(let integer) = self { integer } else { nil }
  }

  /// The truth when the value is one.
  public var bool: Bool? {
    if case .bool(let bool) = self { bool } else { nil }
  }

  /// What the value is, for messages: "an object", "text", ….
  public var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "text"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The value with another laid over it: objects are joined member by member, all else is replaced.
  ///
  /// - Parameter other: wins where both have something.
  public func merging(_ other: JSONValue) -> JSONValue {
    guard case .object(let mine) = self, case .object(let theirs) = other else { return other }
    return .object(mine.merging(theirs) { $0.merging($1) })
  }
}
