// SPDX-License-Identifier: Apache-2.0

/// Compares a value with a schema and collects what is wrong.
///
/// Beside the value goes what may be shown of it, in which secrets are replaced: messages quote nothing else.
struct SchemaCheck {
  private let definitions: [String: SchemaNode]
  private let effort: Effort
  private var problems: [SchemaProblem] = []

  /// How much was done: parts that name each other twice double with each step.
  private final class Effort {
    static let limit = 1_000_000
    static let depthLimit = 4 * JSONParser.depthLimit

    var steps = 0
    var depth = 0
    var isTooMuch = false
  }

  private init(_ definitions: [String: SchemaNode], _ effort: Effort) {
    self.definitions = definitions
    self.effort = effort
  }

  /// Everything about a value that breaks a schema.
  static func problems(
    of value: JSONValue, shownAs shown: JSONValue, _ node: SchemaNode,
    _ definitions: [String: SchemaNode]
  ) -> [SchemaProblem] {
    let effort = Effort()
    var check = SchemaCheck(definitions, effort)
    check.check(value, shown, node, at: "")
    guard effort.isTooMuch else { return check.problems }
    return [
      SchemaProblem(
        path: "", found: "a schema that takes more than \(Effort.limit) steps to check",
        needed: "a simpler one, or less of a value")
    ]
  }

  private mutating func check(
    _ value: JSONValue, _ shown: JSONValue, _ node: SchemaNode, at path: String
  ) {
    effort.steps += 1
    guard effort.steps <= Effort.limit, effort.depth < Effort.depthLimit else {
      effort.isTooMuch = true
      return
    }
    effort.depth += 1
    defer { effort.depth -= 1 }
    if node.isNever { return fail(path, shown, "nothing") }
    if let name = node.reference, let definition = definitions[name] {
      check(value, shown, definition, at: path)
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
      fail(path, shown, needed)
    }
    switch value {
    case .object(let members): check(members, shown, node, path)
    case .array(let elements): check(elements, shown, node, path)
    case .string(let text):
      let count = text.unicodeScalars.count
      if let needed = node.length.broken(by: count, "character", "characters") {
        problems.append(SchemaProblem(path: path, found: "\(count)", needed: needed))
      }
    case .integer, .number: checkNumber(value, shown, node, path)
    case .null, .bool: break
    }
    checkCombined(value, shown, node, path)
  }

  private mutating func check(
    _ members: [String: JSONValue], _ shown: JSONValue, _ node: SchemaNode, _ path: String
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
      let shown = shown.members?[name] ?? shown
      if let property = node.properties[name] {
        check(member, shown, property, at: place)
        continue
      }
      switch node.additional {
      case .anything: break
      case .schema(let rest): check(member, shown, rest.node, at: place)
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
    _ elements: [JSONValue], _ shown: JSONValue, _ node: SchemaNode, _ path: String
  ) {
    if let items = node.items {
      for (index, element) in elements.enumerated() {
        check(element, shown.elements?[index] ?? shown, items.node, at: "\(path)[\(index)]")
      }
    }
    if let needed = node.elementCount.broken(by: elements.count, "element", "elements") {
      problems.append(SchemaProblem(path: path, found: "\(elements.count)", needed: needed))
    }
    guard node.areUnique else { return }
    for (index, element) in elements.enumerated()
    where elements[..<index].contains(where: { $0.isSame(as: element) }) {
      fail("\(path)[\(index)]", shown.elements?[index] ?? shown, "each element once")
    }
  }

  private mutating func checkNumber(
    _ value: JSONValue, _ shown: JSONValue, _ node: SchemaNode, _ path: String
  ) {
    guard let number = value.double else { return }
    func text(_ bound: Double) -> String {
      Int64(exactly: bound).map(String.init) ?? String(bound)
    }
    if let minimum = node.minimum, number < minimum {
      fail(path, shown, "\(text(minimum)) or more")
    }
    if let maximum = node.maximum, number > maximum {
      fail(path, shown, "\(text(maximum)) or less")
    }
    if let above = node.above, number <= above {
      fail(path, shown, "more than \(text(above))")
    }
    if let below = node.below, number >= below {
      fail(path, shown, "less than \(text(below))")
    }
    if let step = node.step, (number / step).rounded() * step != number {
      fail(path, shown, "a multiple of \(text(step))")
    }
  }

  private mutating func checkCombined(
    _ value: JSONValue, _ shown: JSONValue, _ node: SchemaNode, _ path: String
  ) {
    for part in node.allOf { check(value, shown, part, at: path) }
    if !node.anyOf.isEmpty {
      let all = node.anyOf.map { alternative(value, shown, $0, path) }
      if !all.contains(where: \.isEmpty) { failAll(all, path) }
    }
    if !node.oneOf.isEmpty {
      let all = node.oneOf.map { alternative(value, shown, $0, path) }
      let kept = all.count { $0.isEmpty }
      if kept == 0 {
        failAll(all, path)
      } else if kept > 1 {
        fail(path, shown, "what only one of \(all.count) forms allows")
      }
    }
    if let not = node.not, alternative(value, shown, not.node, path).isEmpty {
      fail(path, shown, "something else")
    }
  }

  private func alternative(
    _ value: JSONValue, _ shown: JSONValue, _ node: SchemaNode, _ path: String
  ) -> [SchemaProblem] {
    var check = SchemaCheck(definitions, effort)
    check.check(value, shown, node, at: path)
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

  private mutating func fail(_ path: String, _ shown: JSONValue, _ needed: String) {
    let text = shown == .string(JSONSchema.redaction) ? "a secret" : shown.text
    let short = text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
    problems.append(SchemaProblem(path: path, found: short, needed: needed))
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
