// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// Turns the text of a filter into a program: recursive descent over bytes.
struct FilterParser {
  private let text: [UInt8]
  private var position = 0
  private var depth = 0
  private var instructions: [FilterProgram.Instruction] = []
  private var bytes: [UInt8] = []
  private var numbers: [Int64] = []

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func parse() throws(FilterError) -> FilterProgram {
    try disjunction()
    skipSpace()
    if position < text.count {
      throw error("\(quoteNext()) stands behind the end of the filter; join conditions by and, or")
    }
    return FilterProgram(instructions, bytes: bytes, numbers: numbers)
  }

  private mutating func disjunction() throws(FilterError) {
    try conjunction()
    while takeWord("or") {
      try conjunction()
      instructions.append(.init(operation: .or))
    }
  }

  private mutating func conjunction() throws(FilterError) {
    try term()
    while takeWord("and") {
      try term()
      instructions.append(.init(operation: .and))
    }
  }

  private mutating func term() throws(FilterError) {
    depth += 1
    defer { depth -= 1 }
    // Every level holds at most one bit beyond those of the levels around it.
    guard depth < FilterProgram.depthLimit / 2 else {
      throw error("nested deeper than \(FilterProgram.depthLimit / 2) levels")
    }
    if takeWord("not") {
      try term()
      instructions.append(.init(operation: .not))
    } else if take("(") {
      try disjunction()
      guard take(")") else { throw error("needed is ), found \(quoteNext())") }
    } else {
      try condition()
    }
  }

  private mutating func condition() throws(FilterError) {
    let start = position
    let name = word()
    let fields: [String: FilterProgram.Field] = [
      "path": .path, "exe": .exe, "comm": .comm, "kind": .kind, "op": .operation,
      "pid": .pid, "ppid": .ppid, "uid": .uid, "gid": .gid,
    ]
    guard let field = fields[name] else {
      position = start
      skipSpace()
      throw error(
        "needed is path, exe, comm, kind, op, pid, ppid, uid, gid, not or (, found \(quoteNext())")
    }
    switch field {
    case .path, .exe, .comm, .operation: try textCondition(field, name)
    case .kind: try kindCondition()
    case .pid, .ppid, .uid, .gid: try numberCondition(field, name)
    }
  }

  private mutating func textCondition(
    _ field: FilterProgram.Field, _ name: String
  ) throws(FilterError) {
    let negated = take("!=")
    let operation: FilterProgram.Operation
    if negated || take("==") {
      operation = .equals
    } else if take("^=") {
      operation = .startsWith
    } else {
      throw error("\(name) needs ==, != or ^=, found \(quoteNext())")
    }
    let start = bytes.count
    try textLiteral()
    instructions.append(
      .init(
        operation: operation, field: field, start: Int32(start), count: Int32(bytes.count - start)))
    if negated { instructions.append(.init(operation: .not)) }
  }

  /// A kind by its name, or by the beginning of it, becomes a bit for every kind.
  private mutating func kindCondition() throws(FilterError) {
    let negated = take("!=")
    let isPrefix = !negated && take("^=")
    guard negated || isPrefix || take("==") else {
      throw error("kind needs ==, != or ^=, found \(quoteNext())")
    }
    skipSpace()
    let place = position
    let start = bytes.count
    try textLiteral()
    let name = String(decoding: bytes[start...], as: UTF8.self)
    bytes.removeLast(bytes.count - start)
    let kinds = EventKind.matching(isPrefix ? name + "*" : name, phase: nil)
    guard !kinds.isEmpty else {
      position = place
      throw error("there is no kind '\(name)'\(isPrefix ? " with anything behind it" : "")")
    }
    let mask = numbers.count
    numbers.append(contentsOf: [Int64](repeating: 0, count: (EventKind.limit + 63) / 64))
    for kind in kinds { numbers[mask + Int(kind.rawValue) / 64] |= 1 << Int64(kind.rawValue % 64) }
    instructions.append(.init(operation: .isOfKind, field: .kind, start: Int32(mask)))
    if negated { instructions.append(.init(operation: .not)) }
  }

  private mutating func numberCondition(
    _ field: FilterProgram.Field, _ name: String
  ) throws(FilterError) {
    let start = numbers.count
    let negated = take("!=")
    if negated || take("==") {
      try numberLiteral()
    } else if takeWord("in") {
      guard take("(") else { throw error("in needs a list as (1, 2), found \(quoteNext())") }
      repeat { try numberLiteral() } while take(",")
      guard take(")") else { throw error("needed is , or ), found \(quoteNext())") }
    } else {
      throw error("\(name) needs ==, != or in, found \(quoteNext())")
    }
    instructions.append(
      .init(
        operation: .isIn, field: field, start: Int32(start), count: Int32(numbers.count - start)))
    if negated { instructions.append(.init(operation: .not)) }
  }

  private mutating func textLiteral() throws(FilterError) {
    skipSpace()
    guard position < text.count,
      text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"")
    else { throw error("needed is a text in quotes, found \(quoteNext())") }
    let quote = text[position]
    let opening = position
    position += 1
    while position < text.count, text[position] != quote {
      if text[position] == UInt8(ascii: "\\"), position + 1 < text.count { position += 1 }
      bytes.append(text[position])
      position += 1
    }
    guard position < text.count else {
      position = opening
      throw error("the text has no closing quote")
    }
    position += 1
  }

  private mutating func numberLiteral() throws(FilterError) {
    skipSpace()
    let start = position
    if position < text.count, text[position] == UInt8(ascii: "-") { position += 1 }
    while position < text.count, isWordByte(text[position]) { position += 1 }
    guard let number = Int64(String(decoding: text[start..<position], as: UTF8.self)) else {
      position = start
      throw error("needed is a number, found \(quoteNext())")
    }
    numbers.append(number)
  }

  // MARK: Tokens

  private mutating func skipSpace() {
    while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x5F
  }

  private mutating func word() -> String {
    skipSpace()
    let start = position
    while position < text.count, isWordByte(text[position]) { position += 1 }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func takeWord(_ expected: String) -> Bool {
    let start = position
    if word() == expected { return true }
    position = start
    return false
  }

  private mutating func take(_ symbol: StaticString) -> Bool {
    skipSpace()
    let length = symbol.utf8CodeUnitCount
    guard position + length <= text.count,
      text[position..<position + length]
        .elementsEqual(UnsafeBufferPointer(start: symbol.utf8Start, count: length))
    else { return false }
    position += length
    return true
  }

  private mutating func quoteNext() -> String {
    skipSpace()
    guard position < text.count else { return "the end" }
    var end = position + 1
    while end < text.count, end < position + 20, isWordByte(text[end]), isWordByte(text[position]) {
      end += 1
    }
    return "'\(String(decoding: text[position..<end], as: UTF8.self))'"
  }

  private func error(_ message: String) -> FilterError {
    let before = text[..<min(position, text.count)]
    let line = before.count { $0 == 0x0A } + 1
    let column = position - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
    return FilterError(line: line, column: column, message: message)
  }
}
