// SPDX-License-Identifier: Apache-2.0

/// Compares a value with a schema and collects what is wrong.
struct SchemaCheck {
  let definitions: [String: SchemaNode]
  private(set) var problems: [SchemaProblem] = []

  init(definitions: [String: SchemaNode]) { self.definitions = definitions }

  /// - Parameter isSecret: what stands there must not be quoted.
  mutating func check(
    _ value: JSONValue, _ node: SchemaNode, at path: String, isSecret: Bool = false
  ) {
    let isSecret = isSecret || node.isSecret
    if node.isNever { return fail(path, value, "nothing", isSecret) }
    if let name = node.reference, let definition = definitions[name] {
      check(value, definition, at: path, isSecret: isSecret)
    }
    if let kinds = node.kinds, !kinds.contains(where: { value.isOf($0) }) {
      // Nothing else that the schema says makes sense then.
      problems.append(
        SchemaProblem(
          path: path, found: value.typeName,
          needed: kinds.map(Self.name).joined(separator: " or ")))
      return
    }
    if let allowed = node.allowed, !allowed.contains(where: { $0.isSame(as: value) }) {
      let texts = allowed.prefix(12).map(\.text) + (allowed.count > 12 ? ["…"] : [])
      let needed = (allowed.count > 1 ? "one of " : "") + texts.joined(separator: ", ")
      fail(path, value, needed, isSecret)
    }
    switch value {
    case .object(let members): check(members, node, path, isSecret)
    case .array(let elements): check(elements, node, path, isSecret)
    case .string(let text):
      let count = text.unicodeScalars.count
      if let needed = node.length.broken(by: count, "character", "characters") {
        problems.append(SchemaProblem(path: path, found: "\(count)", needed: needed))
      }
    case .integer, .number: checkNumber(value, node, path, isSecret)
    case .null, .bool: break
    }
    checkCombined(value, node, path, isSecret)
  }

  private mutating func check(
    _ members: [String: JSONValue], _ node: SchemaNode, _ path: String, _ isSecret: Bool
  ) {
    for name in node.required where members[name] == nil {
      problems.append(
        SchemaProblem(path: SchemaReader.join(path, name), found: "nothing", needed: "a value"))
    }
    for (name, needs) in node.dependent.sorted(by: { $0.key < $1.key }) where members[name] != nil {
      for need in needs where members[need] == nil {
        problems.append(
          SchemaProblem(
            path: SchemaReader.join(path, need), found: "nothing",
            needed: "a value, as \(name) is there"))
      }
    }
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      let place = SchemaReader.join(path, name)
      if let property = node.properties[name] {
        check(member, property, at: place, isSecret: isSecret)
        continue
      }
      switch node.additional {
      case .anything: break
      case .schema(let rest): check(member, rest.node, at: place, isSecret: isSecret)
      case .nothing:
        let known = node.properties.keys.sorted()
        let near = NearNames.of(name, among: known)
        problems.append(
          SchemaProblem(
            path: place, found: "an unknown member",
            needed: near.isEmpty
              ? (known.isEmpty ? "none" : "one of " + known.joined(separator: ", "))
              : "perhaps " + near.joined(separator: ", ")))
      }
    }
    if let needed = node.memberCount.broken(by: members.count, "member", "members") {
      problems.append(SchemaProblem(path: path, found: "\(members.count)", needed: needed))
    }
  }

  private mutating func check(
    _ elements: [JSONValue], _ node: SchemaNode, _ path: String, _ isSecret: Bool
  ) {
    if let items = node.items {
      for (index, element) in elements.enumerated() {
        check(element, items.node, at: "\(path)[\(index)]", isSecret: isSecret)
      }
    }
    if let needed = node.elementCount.broken(by: elements.count, "element", "elements") {
      problems.append(SchemaProblem(path: path, found: "\(elements.count)", needed: needed))
    }
    guard node.areUnique else { return }
    for (index, element) in elements.enumerated()
    where elements[..<index].contains(where: { $0.isSame(as: element) }) {
      fail("\(path)[\(index)]", element, "each element once", isSecret)
    }
  }

  private mutating func checkNumber(
    _ value: JSONValue, _ node: SchemaNode, _ path: String, _ isSecret: Bool
  ) {
    guard let number = value.double else { return }
    func text(_ bound: Double) -> String {
      Int64(exactly: bound).map(String.init) ?? String(bound)
    }
    if let minimum = node.minimum, number < minimum {
      fail(path, value, "\(text(minimum)) or more", isSecret)
    }
    if let maximum = node.maximum, number > maximum {
      fail(path, value, "\(text(maximum)) or less", isSecret)
    }
    if let above = node.above, number <= above {
      fail(path, value, "more than \(text(above))", isSecret)
    }
    if let below = node.below, number >= below {
      fail(path, value, "less than \(text(below))", isSecret)
    }
    if let step = node.step, (number / step).rounded() * step != number {
      fail(path, value, "a multiple of \(text(step))", isSecret)
    }
  }

  private mutating func checkCombined(
    _ value: JSONValue, _ node: SchemaNode, _ path: String, _ isSecret: Bool
  ) {
    for part in node.allOf { check(value, part, at: path, isSecret: isSecret) }
    if !node.anyOf.isEmpty {
      let all = node.anyOf.map { alternative(value, $0, path, isSecret) }
      if !all.contains(where: \.isEmpty) { failAll(all, path) }
    }
    if !node.oneOf.isEmpty {
      let all = node.oneOf.map { alternative(value, $0, path, isSecret) }
      let kept = all.count { $0.isEmpty }
      if kept == 0 {
        failAll(all, path)
      } else if kept > 1 {
        fail(path, value, "what only one of \(all.count) forms allows", isSecret)
      }
    }
    if let not = node.not, alternative(value, not.node, path, isSecret).isEmpty {
      fail(path, value, "something else", isSecret)
    }
  }

  private func alternative(
    _ value: JSONValue, _ node: SchemaNode, _ path: String, _ isSecret: Bool
  ) -> [SchemaProblem] {
    var check = SchemaCheck(definitions: definitions)
    check.check(value, node, at: path, isSecret: isSecret)
    return check.problems
  }

  /// Of several forms of which none fits: what is wrong with the one that fits best.
  private mutating func failAll(_ all: [[SchemaProblem]], _ path: String) {
    guard let best = all.min(by: { $0.count < $1.count }) else { return }
    guard all.allSatisfy({ $0.count == 1 && $0[0].path == path }) else { return problems += best }
    problems.append(
      SchemaProblem(
        path: path, found: best[0].found,
        needed: all.map { $0[0].needed }.joined(separator: ", or ")))
  }

  private mutating func fail(
    _ path: String, _ value: JSONValue, _ needed: String, _ isSecret: Bool
  ) {
    let text = value.text
    let shown = text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
    problems.append(
      SchemaProblem(path: path, found: isSecret ? "a secret" : shown, needed: needed))
  }

  private static func name(_ kind: SchemaNode.Kind) -> String {
    switch kind {
    case .null: "null"
    case .boolean: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "text"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
