// SPDX-License-Identifier: Apache-2.0

/// Reads schemas and collects what is wrong with them.
struct SchemaReader {
  private(set) var problems: [SchemaProblem] = []
  private var references: [(path: String, name: String)] = []
  private var count = 0

  mutating func node(_ value: JSONValue, at path: String) -> SchemaNode {
    var node = SchemaNode(number: count)
    count += 1
    if case .bool(let isAny) = value {
      node.isNever = !isAny
      return node
    }
    guard let members = value.members else {
      fail(path, value.typeName, "a schema: an object, true or false")
      return node
    }
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      read(name, value, Self.join(path, name), isRoot: path.isEmpty, into: &node)
    }
    return node
  }

  /// Path of a member.
  static func join(_ path: String, _ name: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  private mutating func read(
    _ name: String, _ value: JSONValue, _ path: String, isRoot: Bool, into node: inout SchemaNode
  ) {
    if name == "x-secret" {
      node.isSecret = bool(value, path) ?? false
      return
    }
    guard !name.hasPrefix("x-") else { return }
    guard let keyword = SchemaKeyword(rawValue: name) else {
      let known = SchemaKeyword.allCases.map(\.rawValue)
      let near = NearNames.of(name, among: known)
      let names = (near.isEmpty ? known : near).joined(separator: ", ")
      fail(path, "an unknown keyword", (near.isEmpty ? "one of " : "perhaps ") + names)
      return
    }
    switch keyword {
    case .schema, .comment, .title, .description, .format: _ = text(value, path)
    case .examples, .deprecated: break
    case .definitions:
      if !isRoot { fail(path, "definitions inside of a part", "them at the root") }
      if value.members == nil { fail(path, value.typeName, "an object of schemas") }
    case .reference: readReference(value, path, &node)
    case .type: readType(value, path, &node)
    case .allowed:
      node.allowed = value.elements
      if value.elements?.isEmpty ?? true { fail(path, value.text, "an array of values") }
    case .constant: node.allowed = [value]
    case .defaultValue: node.defaultValue = value
    case .properties: node.properties = schemas(value, path)
    case .required: node.required = names(value, path)
    case .dependentRequired:
      for (name, list) in object(value, path) {
        node.dependent[name] = names(list, Self.join(path, name))
      }
    case .additional:
      switch value {
      case .bool(let isAny): node.additional = isAny ? .anything : .nothing
      default: node.additional = .schema(.init(self.node(value, at: path)))
      }
    case .minProperties: node.memberCount.least = count(value, path)
    case .maxProperties: node.memberCount.most = count(value, path)
    case .items: node.items = .init(self.node(value, at: path))
    case .minItems: node.elementCount.least = count(value, path)
    case .maxItems: node.elementCount.most = count(value, path)
    case .uniqueItems: node.areUnique = bool(value, path) ?? false
    case .minLength: node.length.least = count(value, path)
    case .maxLength: node.length.most = count(value, path)
    case .minimum: node.minimum = number(value, path)
    case .maximum: node.maximum = number(value, path)
    case .exclusiveMinimum: node.above = number(value, path)
    case .exclusiveMaximum: node.below = number(value, path)
    case .multipleOf:
      node.step = number(value, path)
      if let step = node.step, step <= 0 { fail(path, value.text, "a number above 0") }
    case .allOf: node.allOf = list(value, path)
    case .anyOf: node.anyOf = list(value, path)
    case .oneOf: node.oneOf = list(value, path)
    case .not: node.not = .init(self.node(value, at: path))
    }
  }

  private mutating func readReference(
    _ value: JSONValue, _ path: String, _ node: inout SchemaNode
  ) {
    let start = "#/$defs/"
    guard let text = value.string, text.hasPrefix(start), !text.dropFirst(start.count).contains("/")
    else { return fail(path, value.text, "\"#/$defs/NAME\"") }
    let name = String(text.dropFirst(start.count))
    node.reference = name
    references.append((path, name))
  }

  private mutating func readType(_ value: JSONValue, _ path: String, _ node: inout SchemaNode) {
    let texts = value.elements?.map(\.string) ?? [value.string]
    let kinds = texts.compactMap { $0.flatMap(SchemaNode.Kind.init) }
    guard kinds.count == texts.count, !kinds.isEmpty else {
      let known = SchemaNode.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      return fail(path, value.text, "one of \(known), or an array of them")
    }
    node.kinds = kinds
  }

  // MARK: References

  /// Checks that all references lead somewhere, and that none leads back to itself without a step into the value.
  mutating func checkReferences(_ root: SchemaNode, _ definitions: [String: SchemaNode]) {
    for (path, name) in references where definitions[name] == nil {
      let near = NearNames.of(name, among: definitions.keys)
      fail(
        path, "\"\(name)\"",
        near.isEmpty ? "a member of $defs" : "perhaps " + near.joined(separator: ", "))
    }
    for name in definitions.keys.sorted() where leadsBack(to: name, definitions) {
      fail("$defs.\(name)", "a reference that leads back to itself", "one that ends")
    }
  }

  private func leadsBack(to name: String, _ definitions: [String: SchemaNode]) -> Bool {
    var seen: Set<String> = []
    var waiting = definitions[name].map(Self.sameValueReferences) ?? []
    while let next = waiting.popLast() {
      if next == name { return true }
      guard seen.insert(next).inserted, let node = definitions[next] else { continue }
      waiting += Self.sameValueReferences(node)
    }
    return false
  }

  /// References that are followed for the very value that the schema is for.
  private static func sameValueReferences(_ node: SchemaNode) -> [String] {
    let parts = node.allOf + node.anyOf + node.oneOf + (node.not.map { [$0.node] } ?? [])
    return (node.reference.map { [$0] } ?? []) + parts.flatMap(sameValueReferences)
  }

  // MARK: Values of keywords

  private mutating func schemas(_ value: JSONValue, _ path: String) -> [String: SchemaNode] {
    var nodes: [String: SchemaNode] = [:]
    for (name, member) in object(value, path) {
      nodes[name] = node(member, at: Self.join(path, name))
    }
    return nodes
  }

  private mutating func list(_ value: JSONValue, _ path: String) -> [SchemaNode] {
    guard let elements = value.elements, !elements.isEmpty else {
      fail(path, value.text, "an array of schemas")
      return []
    }
    return elements.enumerated().map { node($1, at: "\(path)[\($0)]") }
  }

  private mutating func object(
    _ value: JSONValue, _ path: String
  ) -> [(key: String, value: JSONValue)] {
    guard let members = value.members else {
      fail(path, value.typeName, "an object")
      return []
    }
    return members.sorted { $0.key < $1.key }
  }

  private mutating func names(_ value: JSONValue, _ path: String) -> [String] {
    let names = value.elements?.map(\.string) ?? [nil]
    guard !names.contains(nil) else {
      fail(path, value.text, "an array of names")
      return []
    }
    return names.compactMap(\.self)
  }

  private mutating func count(_ value: JSONValue, _ path: String) -> Int? {
    guard let count = value.integer, count >= 0 else {
      fail(path, value.text, "an integer of 0 or more")
      return nil
    }
    return Int(clamping: count)
  }

  private mutating func number(_ value: JSONValue, _ path: String) -> Double? {
    if let number = value.double { return number }
    fail(path, value.typeName, "a number")
    return nil
  }

  private mutating func bool(_ value: JSONValue, _ path: String) -> Bool? {
    if let bool = value.bool { return bool }
    fail(path, value.typeName, "true or false")
    return nil
  }

  private mutating func text(_ value: JSONValue, _ path: String) -> String? {
    if let text = value.string { return text }
    fail(path, value.typeName, "text")
    return nil
  }

  private mutating func fail(_ path: String, _ found: String, _ needed: String) {
    problems.append(SchemaProblem(path: path, found: found, needed: needed))
  }
}
