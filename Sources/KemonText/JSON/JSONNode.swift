// SPDX-License-Identifier: Apache-2.0

/// A JSON value that knows where it stands in its text, and the order of its members.
public struct JSONNode: Sendable {
  /// What the value is.
  public enum Content: Sendable {
    /// Nothing.
    case null
    /// True or false.
    case bool(Bool)
    /// A number without fraction and exponent that fits 128 bits.
    case integer(Int128)
    /// Any other number; always finite.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONNode])
    /// Named members in the order of the text; no name is there twice.
    case object([Member])
  }

  /// A named member of an object.
  public struct Member: Sendable {
    /// The name.
    public let name: String
    /// Where the name begins: bytes from the beginning of the text.
    public let offset: Int
    /// The value.
    public let node: JSONNode
  }

  /// What the value is.
  public let content: Content
  /// Where the value begins: bytes from the beginning of the text.
  public let offset: Int

  /// The value alone.
  public var value: JSONValue {
    switch content {
    case .null: .null
    case .bool(let bool): .bool(bool)
    case .integer(let integer):
      Int64(exactly: integer).map { .integer($0) } ?? .number(Double(integer))
    case .number(let number): .number(number)
    case .string(let string): .string(string)
    case .array(let elements): .array(elements.map(\.value))
    case .object(let members):
      .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.node.value) }))
    }
  }
}
