// SPDX-License-Identifier: Apache-2.0

/// Reads `result(argument, …)`.
struct PrototypeParser {
  /// Structures inside each other.
  static let maximumDepth = 16
  /// Arguments of a function, and members of a structure.
  static let maximumCount = 255
  /// Bytes of a structure.
  static let maximumSize = 4096

  private let text: [Unicode.Scalar]
  private var index = 0

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  /// The whole text.
  mutating func prototype() throws(PrototypeError) -> (DynamicType, [DynamicType], fixed: Int?) {
    let result = try type(depth: 0)
    try require("(", "result(argument, …)")
    var arguments: [DynamicType] = []
    var fixed: Int?
    let start = skipSpace()
    if !take(")") {
      repeat {
        if takeDots() {
          guard fixed == nil, !arguments.isEmpty else {
            throw PrototypeError(
              .syntax, column: index - 2, "... stands once, and behind an argument")
          }
          fixed = arguments.count
          continue
        }
        let place = skipSpace()
        let argument = try type(depth: 0)
        try check(argument, isVariadic: fixed != nil, at: place, isOnly: place == start)
        arguments.append(argument)
        try checkCount(arguments, "arguments", at: place)
      } while take(",")
      try require(")", "a comma or the end of the arguments")
    }
    if arguments == [.scalar(.void)] { arguments = [] }
    skipSpace()
    guard index == text.count else {
      throw PrototypeError(
        .syntax, column: column, "\(found) behind the prototype; it ends with its parenthesis")
    }
    return (result, arguments, fixed)
  }

  private mutating func check(
    _ argument: DynamicType, isVariadic: Bool, at place: Int, isOnly: Bool
  ) throws(PrototypeError) {
    skipSpace()
    if argument == .scalar(.void), !isOnly || index >= text.count || text[index] != ")" {
      throw PrototypeError(.misplacedType, column: place + 1, "an argument can not be void")
    }
    guard isVariadic, case .scalar(let type) = argument, type.size < 4 || type == .f32 else {
      return
    }
    throw PrototypeError(
      .misplacedType, column: place + 1,
      "\(argument) behind ...: C passes \(type == .f32 ? "f64" : "i32") there")
  }

  private mutating func type(depth: Int) throws(PrototypeError) -> DynamicType {
    let place = skipSpace()
    if take("{") { return try structure(at: place, depth: depth + 1) }
    while index < text.count, Self.isWord(text[index]) { index += 1 }
    var word = ""
    word.unicodeScalars.append(contentsOf: text[place..<index])
    guard !word.isEmpty else {
      throw PrototypeError(.syntax, column: column, "\(found) where a type is needed")
    }
    if word == "f80" { return .longDouble }
    guard let type = HookType(rawValue: word) else {
      let known = HookType.allCases.map(\.rawValue).joined(separator: ", ")
      throw PrototypeError(
        .unknownType, column: place + 1,
        "\"\(word)\" is no type; known are \(known), f80 and structures in braces")
    }
    return .scalar(type)
  }

  private mutating func structure(
    at place: Int, depth: Int
  ) throws(PrototypeError) -> DynamicType {
    guard depth <= Self.maximumDepth else {
      throw PrototypeError(
        .tooLarge, column: place + 1, "more than \(Self.maximumDepth) structures inside each other")
    }
    var members: [DynamicType] = []
    repeat {
      let start = skipSpace()
      let member = try type(depth: depth)
      guard member != .scalar(.void) else {
        throw PrototypeError(.misplacedType, column: start + 1, "a member can not be void")
      }
      members.append(member)
      try checkCount(members, "members", at: start)
    } while take(",")
    try require("}", "a comma or the end of the structure")
    let structure = DynamicType.structure(members)
    guard structure.size <= Self.maximumSize else {
      throw PrototypeError(
        .tooLarge, column: place + 1,
        "a structure of \(structure.size) bytes; at most \(Self.maximumSize) are passed by value")
    }
    return structure
  }

  private func checkCount(
    _ list: [DynamicType], _ what: String, at place: Int
  ) throws(PrototypeError) {
    guard list.count > Self.maximumCount else { return }
    throw PrototypeError(.tooLarge, column: place + 1, "more than \(Self.maximumCount) \(what)")
  }

  // MARK: Characters

  private var column: Int { index + 1 }

  /// What stands at the index, for messages.
  private var found: String { index < text.count ? "\"\(text[index])\"" : "the end" }

  private static func isWord(_ character: Unicode.Scalar) -> Bool {
    character.properties.isAlphabetic || character.properties.numericType != nil
      || character == "_"
  }

  /// Returns where the next word begins.
  @discardableResult
  private mutating func skipSpace() -> Int {
    while index < text.count, text[index].properties.isWhitespace { index += 1 }
    return index
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < text.count, text[index] == character else { return false }
    index += 1
    return true
  }

  private mutating func takeDots() -> Bool {
    skipSpace()
    guard text[index...].starts(with: ["." as Unicode.Scalar, ".", "."]) else { return false }
    index += 3
    return true
  }

  private mutating func require(
    _ character: Unicode.Scalar, _ what: String
  ) throws(PrototypeError) {
    guard !take(character) else { return }
    throw PrototypeError(.syntax, column: column, "\(found) found, needed is \(what)")
  }
}
