// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
  /// Reads one JSON text (RFC 8259).
  ///
  /// Foundation's decoder is not used because on Linux it says neither where a text is wrong nor that a member
  /// stands there twice; a manifest that two readers understand differently must not pass.
  ///
  /// - Parameter bytes: UTF-8, from anywhere; nothing is believed.
  /// - Throws: line, column, what was found and what is needed.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    self = try JSONNode(parsing: bytes).value
  }

  /// Reads one JSON text.
  ///
  /// - Throws: line, column, what was found and what is needed.
  public init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }
}

extension JSONNode {
  /// Reads one JSON text (RFC 8259) and keeps where its parts stand.
  ///
  /// - Parameter bytes: UTF-8, from anywhere; nothing is believed.
  /// - Throws: line, column, what was found and what is needed.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }
}

/// A recursive descent over bytes; `index` never passes the end.
struct JSONParser {
  /// Deeper nesting than this is refused, so that hostile input cannot exhaust the stack.
  static let depthLimit = 128

  let bytes: [UInt8]
  var index = 0
  var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSONNode {
    let value = try value()
    skipSpace()
    guard index == bytes.count else { throw unexpected(needed: "the end") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSONNode {
    skipSpace()
    let start = index
    return JSONNode(content: try content(), offset: start)
  }

  private mutating func content() throws(JSONError) -> JSONNode.Content {
    guard let byte = peek else { throw unexpected(needed: "a value") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw unexpected(needed: "a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSONNode.Content
  ) throws(JSONError) -> JSONNode.Content {
    guard depth < Self.depthLimit else { throw error("nested deeper than \(Self.depthLimit)") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func object() throws(JSONError) -> JSONNode.Content {
    index += 1
    var members: [JSONNode.Member] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else {
        throw unexpected(needed: "a member's name in quotes")
      }
      let place = index
      let name = try string()
      guard names.insert(name).inserted else {
        throw error("the member \"\(name)\" is there twice", at: place)
      }
      skipSpace()
      guard take(":") else { throw unexpected(needed: "':'") }
      members.append(JSONNode.Member(name: name, offset: place, node: try value()))
      skipSpace()
    } while take(",")
    guard take("}") else { throw unexpected(needed: "',' or '}'") }
    return .object(members)
  }

  private mutating func array() throws(JSONError) -> JSONNode.Content {
    index += 1
    var elements: [JSONNode] = []
    skipSpace()
    if take("]") { return .array(elements) }
    repeat {
      elements.append(try value())
      skipSpace()
    } while take(",")
    guard take("]") else { throw unexpected(needed: "',' or ']'") }
    return .array(elements)
  }

  private mutating func word(_ word: StaticString, _ value: JSONNode.Content) throws(JSONError)
    -> JSONNode.Content
  {
    for offset in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[offset] else { throw unexpected(needed: "\(word)") }
      index += 1
    }
    return value
  }

  // MARK: Numbers

  private mutating func number() throws(JSONError) -> JSONNode.Content {
    let start = index
    var isInteger = true
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isInteger, let integer = Int128(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw error("the number \(text.prefix(40)) is out of range", at: start)
    }
    return .number(number)
  }

  private mutating func digits() throws(JSONError) {
    let start = index
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
    guard index > start else { throw unexpected(needed: "a digit") }
  }

  // MARK: Text

  private mutating func string() throws(JSONError) -> String {
    let start = index
    index += 1
    var content: [UInt8] = []
    while true {
      guard let byte = peek else { throw error("the text has no closing quote", at: start) }
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw error("the text is not UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        index += 1
        content.append(contentsOf: String(Character(try escape())).utf8)
      case 0..<0x20:
        throw unexpected(needed: "an escape such as \\n")
      default:
        content.append(byte)
        index += 1
      }
    }
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    guard let byte = peek else { throw unexpected(needed: "an escape") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      index -= 1
      throw unexpected(needed: "one of \" \\ / b f n r t u")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let place = index - 2
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\"), take("u") else {
      throw error("half a surrogate pair", at: place)
    }
    let second = try hexadecimal()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw error("half a surrogate pair", at: place) }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected(needed: "four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }

  // MARK: Bytes and places

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      index += 1
    }
  }

  private func unexpected(needed: String) -> JSONError {
    guard let byte = peek else { return error("the text ends here, needed is \(needed)") }
    let found =
      (0x21...0x7E).contains(byte)
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
    return error("found \(found), needed is \(needed)")
  }

  private func error(_ message: String, at place: Int? = nil) -> JSONError {
    let place = TextPlace(of: place ?? index, in: bytes)
    return JSONError(line: place.line, column: place.column, message)
  }
}
