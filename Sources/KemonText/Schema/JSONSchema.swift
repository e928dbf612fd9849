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
    // Those of an empty value at once: whoever wrote the schema hears of it, not whoever uses it.
    _ = try fillingDefaults(in: .object([:]))
  }

  /// Whether two schemas were written alike.
  public static func == (left: JSONSchema, right: JSONSchema) -> Bool { left.value == right.value }

  /// Whether an object can keep the schema, as far as its own types say.
  public var admitsObjects: Bool { !root.isNever && root.kinds?.contains(.object) ?? true }

  /// Everything about a value that breaks the schema, in the order of its paths.
  public func problems(of value: JSONValue) -> [SchemaProblem] {
    SchemaCheck.problems(of: value, shownAs: redacting(value), root, definitions)
  }

  /// The value with the defaults of members that are missing.
  ///
  /// Defaults of members and elements are filled in wherever they certainly apply: not below `anyOf`, `oneOf` and `not`.
  ///
  /// - Throws: when defaults bring ever more defaults with them.
  public func fillingDefaults(in value: JSONValue) throws(SchemaFailure) -> JSONValue {
    var room = Self.defaultLimit
    return try fill(value, [root], 0, &room)
  }

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
  /// Values that defaults bring into one value, those inside of them counted.
  private static let defaultLimit = 100_000
  /// Levels of a value with its defaults: twice what can be written.
  private static let depthLimit = 2 * JSONParser.depthLimit

  private func fill(
    _ value: JSONValue, _ nodes: [SchemaNode], _ depth: Int, _ room: inout Int
  ) throws(SchemaFailure) -> JSONValue {
    guard depth < Self.depthLimit, room > 0 else {
      throw SchemaFailure(problems: [
        SchemaProblem(
          path: "", found: "defaults that bring ever more defaults with them",
          needed: "at most \(Self.defaultLimit), \(Self.depthLimit) deep")
      ])
    }
    let parts = certain(nodes)
    switch value {
    case .object(var members):
      for name in Set(parts.flatMap(\.properties.keys)) where members[name] == nil {
        let properties = certain(parts.compactMap { $0.properties[name] })
        guard let other = properties.compactMap(\.defaultValue).first else { continue }
        members[name] = other
        room -= other.count
      }
      for (name, member) in members {
        members[name] = try fill(member, Self.below(name, parts), depth + 1, &room)
      }
      return .object(members)
    case .array(var elements):
      let items = parts.compactMap(\.items?.node)
      for (index, element) in elements.enumerated() {
        elements[index] = try fill(element, items, depth + 1, &room)
      }
      return .array(elements)
    default: return value
    }
  }

  /// The schemas that a value must keep where it must keep these.
  private func certain(_ nodes: [SchemaNode]) -> [SchemaNode] {
    reach(nodes) { $0.allOf }
  }

  /// The schemas that may have a say about a value where these have.
  private func possible(_ nodes: [SchemaNode]) -> [SchemaNode] {
    reach(nodes) { node in
      node.allOf + node.anyOf + node.oneOf + (node.not.map { [$0.node] } ?? [])
    }
  }

  /// Schemas, what they refer to and what else belongs to them, each once, however often it is named.
  private func reach(
    _ nodes: [SchemaNode], _ others: (SchemaNode) -> [SchemaNode]
  ) -> [SchemaNode] {
    var reached: [SchemaNode] = []
    var seen: Set<Int> = []
    var waiting = Array(nodes.reversed())
    while let node = waiting.popLast() {
      guard seen.insert(node.number).inserted else { continue }
      reached.append(node)
      waiting += others(node).reversed()
      if let referred = node.reference.flatMap({ definitions[$0] }) { waiting.append(referred) }
    }
    return reached
  }

  /// What schemas of an object say about one of its members.
  private static func below(_ name: String, _ parts: [SchemaNode]) -> [SchemaNode] {
    parts.compactMap { part in
      if let property = part.properties[name] { return property }
      if case .schema(let rest) = part.additional { return rest.node }
      return nil
    }
  }

  private func redact(_ value: JSONValue, _ nodes: [SchemaNode]) -> JSONValue {
    let parts = possible(nodes)
    if parts.contains(where: \.isSecret) { return .string(Self.redaction) }
    switch value {
    case .object(let members):
      let redacted = members.map { name, member in
        (name, redact(member, Self.below(name, parts)))
      }
      return .object(Dictionary(uniqueKeysWithValues: redacted))
    case .array(let elements):
      return .array(elements.map { redact($0, parts.compactMap(\.items?.node)) })
    default: return value
    }
  }
}

extension JSONValue {
  /// How many values it is, with those inside of it.
  fileprivate var count: Int {
    switch self {
    case .array(let elements): elements.reduce(1) { $0 + $1.count }
    case .object(let members): members.values.reduce(1) { $0 + $1.count }
    default: 1
    }
  }

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
