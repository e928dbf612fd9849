// SPDX-License-Identifier: Apache-2.0

/// A JSON Schema: what a value must look like, and what it is where it says nothing.
///
/// Of draft 2020-12 it knows the keywords of ``SchemaKeyword``, and names that begin with `x-`. A schema with any other
/// is refused: a rule that is ignored would be taken for one that is kept.
public struct JSONSchema: Sendable, Equatable {
  /// The schema as it was written.
  public let value: JSONValue
  let root: SchemaNode
  /// What `$ref` refers to, by name.
  let definitions: [String: SchemaNode]

  /// Reads a schema.
  ///
  /// - Throws: everything that is wrong with it, with paths into the schema.
  public init(_ value: JSONValue) throws(SchemaFailure) {
    var reader = SchemaReader()
    root = reader.node(value, at: "")
    var definitions: [String: SchemaNode] = [:]
    for (name, definition) in value.members?["$defs"]?.members ?? [:] {
      definitions[name] = reader.node(definition, at: "$defs.\(name)")
    }
    reader.checkReferences(root, definitions)
    guard reader.problems.isEmpty else { throw SchemaFailure(problems: reader.problems) }
    self.value = value
    self.definitions = definitions
  }

  /// Whether two schemas were written alike.
  public static func == (left: JSONSchema, right: JSONSchema) -> Bool { left.value == right.value }

  /// Whether an object can keep the schema, as far as its own types say.
  public var admitsObjects: Bool { !root.isNever && root.kinds?.contains(.object) ?? true }

  /// Everything about a value that breaks the schema, in the order of its paths.
  public func problems(of value: JSONValue) -> [SchemaProblem] {
    var check = SchemaCheck(definitions: definitions)
    check.check(value, root, at: "")
    return check.problems
  }

  /// The value with the defaults of members that are missing.
  ///
  /// Defaults of members and elements are filled in wherever they certainly apply: not below `anyOf`, `oneOf` and `not`.
  public func fillingDefaults(in value: JSONValue) -> JSONValue { fill(value, root) }

  /// The value with its secrets replaced: what a schema with `"x-secret": true` may apply to.
  public func redacting(_ value: JSONValue) -> JSONValue { redact(value, [root]) }

  /// The texts of a value that are secret, for those who must not repeat them.
  public func secrets(in value: JSONValue) -> [String] {
    Self.difference(value, redacting(value))
  }

  private static func difference(_ value: JSONValue, _ redacted: JSONValue) -> [String] {
    if redacted == .string(redaction) { return value.texts }
    switch (value, redacted) {
    case (.object(let members), .object(let others)):
      return members.flatMap { name, member in difference(member, others[name] ?? member) }
    case (.array(let elements), .array(let others)):
      return zip(elements, others).flatMap { difference($0, $1) }
    default: return []
    }
  }

  /// What secrets are replaced by.
  public static let redaction = "***"
}

// MARK: Defaults and secrets

extension JSONSchema {
  private func fill(_ value: JSONValue, _ node: SchemaNode) -> JSONValue {
    var value = value
    for part in certain(node) {
      switch value {
      case .object(var members):
        for (name, property) in part.properties {
          if let member = members[name] {
            members[name] = fill(member, property)
          } else if let other = certain(property).compactMap(\.defaultValue).first {
            members[name] = fill(other, property)
          }
        }
        if case .schema(let rest) = part.additional {
          for (name, member) in members where part.properties[name] == nil {
            members[name] = fill(member, rest.node)
          }
        }
        value = .object(members)
      case .array(let elements):
        if let items = part.items { value = .array(elements.map { fill($0, items.node) }) }
      default: break
      }
    }
    return value
  }

  /// The schemas that a value must keep where it must keep this one.
  private func certain(_ node: SchemaNode) -> [SchemaNode] {
    let referred = node.reference.flatMap { definitions[$0] }
    return [node] + (referred.map(certain) ?? []) + node.allOf.flatMap(certain)
  }

  /// The schemas that may have a say about a value where this one has.
  private func possible(_ node: SchemaNode) -> [SchemaNode] {
    let referred = node.reference.flatMap { definitions[$0] }
    let others = node.allOf + node.anyOf + node.oneOf + (node.not.map { [$0.node] } ?? [])
    return [node] + (referred.map(possible) ?? []) + others.flatMap(possible)
  }

  private func redact(_ value: JSONValue, _ nodes: [SchemaNode]) -> JSONValue {
    let parts = nodes.flatMap(possible)
    if parts.contains(where: \.isSecret) { return .string(Self.redaction) }
    switch value {
    case .object(let members):
      let redacted = members.map { name, member in
        let below = parts.flatMap { part -> [SchemaNode] in
          if let property = part.properties[name] { return [property] }
          if case .schema(let rest) = part.additional { return [rest.node] }
          return []
        }
        return (name, redact(member, below))
      }
      return .object(Dictionary(uniqueKeysWithValues: redacted))
    case .array(let elements):
      return .array(elements.map { redact($0, parts.compactMap(\.items?.node)) })
    default: return value
    }
  }
}

extension JSONValue {
  /// Every text and number in the value.
  fileprivate var texts: [String] {
    switch self {
    case .string(let text): [text]
    case .integer, .number: [text]
    case .array(let elements): elements.flatMap(\.texts)
    case .object(let members): members.values.flatMap(\.texts)
    case .null, .bool: []
    }
  }
}
