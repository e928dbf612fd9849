// SPDX-License-Identifier: Apache-2.0

/// Reads a signature: recursive descent over bytes.
struct SignatureParser {
  private let text: [UInt8]
  private var position = 0

  /// Structures inside each other.
  private static let depthLimit = 4

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func signature() throws(SignatureError) -> TypedSignature {
    guard text.count <= TypedSignature.textLimit else {
      throw error(
        "\(text.count) bytes are too many; a signature has at most \(TypedSignature.textLimit)")
    }
    let form: TypedSignature.Form = take("[") ? .words : .arguments
    var fields: [TypedSignature.Field] = []
    while !isAtEnd, next != UInt8(ascii: "]"), next != UInt8(ascii: "-") {
      let field = try field()
      guard !fields.contains(where: { $0.name == field.name }) else {
        throw SignatureError(at: field.place, "\"\(field.name)\" stands here a second time")
      }
      fields.append(field)
      guard fields.count <= TypedSignature.fieldLimit else {
        throw SignatureError(
          at: field.place, "more than \(TypedSignature.fieldLimit) fields")
      }
      try checkSeparator()
    }
    if form == .words, !take("]") { throw error("\(found) where ] is needed") }
    let (result, place) = try result()
    guard isAtEnd else { throw error("\(found) behind the end of the signature") }
    return TypedSignature(fields: fields, result: result, resultPlace: place, form: form)
  }

  private mutating func result() throws(SignatureError) -> (TypedType?, TypedSignature.Place) {
    let start = place
    guard take("-") else { return (nil, start) }
    guard position < text.count, text[position] == UInt8(ascii: ">") else {
      throw error("\(found) where > of -> is needed")
    }
    position += 1
    skipSpace()
    let place = place
    let type = try type()
    switch type {
    case .scalar, .text, .structure: return (type, place)
    case .pointer, .bytes, .event:
      throw SignatureError(
        at: place, "a result can not be \(type.text); it is a number, z or a struct")
    }
  }

  private mutating func field() throws(SignatureError) -> TypedSignature.Field {
    skipSpace()
    let start = place
    let what = found
    let name = word()
    guard let first = name.utf8.first, !(0x30...0x39).contains(first), first != 0x2E else {
      throw SignatureError(at: start, "\(what) where the name of a field is needed")
    }
    let isOptional = position < text.count && text[position] == UInt8(ascii: "?")
    if isOptional { position += 1 }
    guard position < text.count, text[position] == UInt8(ascii: ":") else {
      throw error("\(found) behind \"\(name)\", needed is : and a type, as in \(name):i")
    }
    position += 1
    let typePlace = place
    let type = try type()
    return TypedSignature.Field(
      name: name, isOptional: isOptional, type: type, place: start, typePlace: typePlace)
  }

  private mutating func type(depth: Int = 0) throws(SignatureError) -> TypedType {
    let start = place
    guard position < text.count else { throw error("the end where a type is needed") }
    let byte = text[position]
    switch byte {
    case UInt8(ascii: "z"), UInt8(ascii: "b"), UInt8(ascii: "e"):
      guard depth == 0 else {
        throw error("\(found) inside a struct; its members are numbers and structs")
      }
      position += 1
      return byte == UInt8(ascii: "z") ? .text : byte == UInt8(ascii: "b") ? .bytes : .event
    case UInt8(ascii: "*"):
      guard depth == 0 else {
        throw error("\(found) inside a struct; its members are numbers and structs")
      }
      position += 1
      return .pointer(try scalar())
    case UInt8(ascii: "{"):
      guard depth < Self.depthLimit else {
        throw error("more than \(Self.depthLimit) structs inside each other")
      }
      position += 1
      var members: [TypedType] = []
      while position < text.count, text[position] != UInt8(ascii: "}") {
        members.append(try type(depth: depth + 1))
      }
      guard position < text.count else { throw SignatureError(at: start, "{ without its }") }
      guard !members.isEmpty else { throw SignatureError(at: start, "a struct without members") }
      position += 1
      let structure = TypedType.structure(members)
      guard structure.size <= TypedSignature.structureLimit else {
        throw SignatureError(
          at: start,
          "a struct of \(structure.size) bytes; at most \(TypedSignature.structureLimit) are "
            + "passed by value")
      }
      return structure
    default: return .scalar(try scalar())
    }
  }

  private mutating func scalar() throws(SignatureError) -> TypedScalar {
    guard position < text.count,
      let scalar = TypedScalar(rawValue: String(decoding: [text[position]], as: UTF8.self))
    else {
      let letters = TypedScalar.allCases.map(\.rawValue).joined(separator: " ")
      throw error("\(found) is no type; types are \(letters), z, b, e, * and a number, {…}")
    }
    position += 1
    return scalar
  }

  // MARK: Bytes

  private static func isSpace(_ byte: UInt8) -> Bool {
    [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ",")].contains(byte)
  }

  private mutating func skipSpace() {
    while position < text.count, Self.isSpace(text[position]) { position += 1 }
  }

  /// Fields are apart from each other, or typing errors such as `flags:ii` would be two fields.
  private func checkSeparator() throws(SignatureError) {
    guard position < text.count, !Self.isSpace(text[position]),
      text[position] != UInt8(ascii: "]")
    else { return }
    throw error("\(found) behind a type; fields are apart by a space or a comma")
  }

  private var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == text.count
    }
  }

  private var next: UInt8? {
    mutating get {
      skipSpace()
      return position < text.count ? text[position] : nil
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func word() -> String {
    let start = position
    while position < text.count,
      (0x30...0x39).contains(text[position]) || (0x61...0x7A).contains(text[position] | 0x20)
        || text[position] == UInt8(ascii: "_") || text[position] == UInt8(ascii: ".")
    {
      position += 1
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private var found: String {
    guard position < text.count else { return "the end" }
    let rest = String(decoding: text[position...], as: UTF8.self)
    return "\"\(rest.prefix(1))\""
  }

  private var place: TypedSignature.Place {
    let before = text[..<position]
    let line = before.count { $0 == 0x0A } + 1
    let column = position - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
    return TypedSignature.Place(line: line, column: column)
  }

  private func error(_ message: String) -> SignatureError { SignatureError(at: place, message) }
}
