// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
  /// One step from a value into what it holds.
  enum PathStep: Equatable {
    case member(String)
    case element(Int)
  }

  /// The value at a path such as `deny[0].id`; the empty path is the value itself.
  ///
  /// - Returns: nil when nothing is there, or when the path is none.
  public func value(at path: String) -> JSONValue? {
    guard let steps = try? Self.steps(of: path) else { return nil }
    var value = self
    for step in steps {
      switch (step, value) {
      case (.member(let name), .object(let members)):
        guard let member = members[name] else { return nil }
        value = member
      case (.element(let index), .array(let elements)):
        guard index < elements.count else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// Puts a value at a path; objects on the way are made when they are missing.
  ///
  /// - Parameters:
  ///   - value: replaces what is there.
  ///   - path: as in ``value(at:)``; an index equal to the number of elements appends.
  /// - Throws: where the path is wrong, or where it meets something that has no such part.
  public mutating func set(_ value: JSONValue, at path: String) throws(JSONError) {
    let steps = try Self.steps(of: path)
    try set(value, steps: steps[...], path: path)
  }

  /// Puts a value where a setting of the command line says: `path=value`.
  ///
  /// - Parameter setting: the value is taken as JSON when it is, and as text otherwise; `x="1"` is a text.
  /// - Throws: where the path is wrong, or that there is no `=`.
  public mutating func set(_ setting: String) throws(JSONError) {
    guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
      throw JSONError(line: 1, column: 1, "setting \(setting): needed is path=value")
    }
    let text = String(setting[setting.index(after: equals)...])
    let value = (try? JSONValue(parsing: text)) ?? .string(text)
    try set(value, at: String(setting[..<equals]))
  }

  private mutating func set(
    _ value: JSONValue, steps: ArraySlice<PathStep>, path: String
  ) throws(JSONError) {
    guard let step = steps.first else {
      self = value
      return
    }
    switch (step, self) {
    case (.member(let name), .object(var members)):
      var member = members[name] ?? .null
      try member.set(value, steps: steps.dropFirst(), path: path)
      members[name] = member
      self = .object(members)
    case (.member, .null):
      self = .object([:])
      try set(value, steps: steps, path: path)
    case (.element(let index), .array(var elements)) where index <= elements.count:
      var element = index < elements.count ? elements[index] : .null
      try element.set(value, steps: steps.dropFirst(), path: path)
      if index < elements.count { elements[index] = element } else { elements.append(element) }
      self = .array(elements)
    case (.element(0), .null):
      self = .array([])
      try set(value, steps: steps, path: path)
    case (.member(let name), _):
      throw JSONError(
        line: 1, column: 1, "path \(path): \(typeName) has no member \"\(name)\"")
    case (.element(let index), .array(let elements)):
      throw JSONError(
        line: 1, column: 1, "path \(path): element \(index) of \(elements.count) elements")
    case (.element(let index), _):
      throw JSONError(line: 1, column: 1, "path \(path): \(typeName) has no element \(index)")
    }
  }

  /// The steps of a path.
  static func steps(of path: String) throws(JSONError) -> [PathStep] {
    var steps: [PathStep] = []
    var rest = path[...]
    func wrong(_ needed: String) -> JSONError {
      let column = path.distance(from: path.startIndex, to: rest.startIndex) + 1
      return JSONError(line: 1, column: column, "path \(path): needed is \(needed)")
    }
    while !rest.isEmpty {
      if rest.first == "[" {
        let digits = rest.dropFirst().prefix { $0 != "]" }
        guard let index = Int(digits), index >= 0, digits.allSatisfy(\.isNumber),
          digits.endIndex < rest.endIndex
        else { throw wrong("an index such as [0]") }
        steps.append(.element(index))
        rest = rest[rest.index(after: digits.endIndex)...]
        continue
      }
      if rest.first == "." {
        guard !steps.isEmpty else { throw wrong("a name") }
        rest = rest.dropFirst()
      } else if !steps.isEmpty {
        throw wrong("'.' or '['")
      }
      let name = rest.prefix { $0 != "." && $0 != "[" }
      guard !name.isEmpty else { throw wrong("a name") }
      steps.append(.member(String(name)))
      rest = rest[name.endIndex...]
    }
    return steps
  }
}
