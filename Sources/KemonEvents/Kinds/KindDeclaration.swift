// SPDX-License-Identifier: Apache-2.0

/// A kind of events that is not in the table: its name and the fields of its payload.
///
/// Recordings keep it as text, a line for the name and one for each field, so that replay finds the kind by its name:
///
/// ```
/// my-guard.alert
/// str path what was opened
/// u32 score how bad it is
/// ```
public struct KindDeclaration: Equatable, Sendable {
  /// One field of the payload.
  public struct Field: Equatable, Sendable {
    /// The name, unique in its kind.
    public let name: String
    /// How to read it.
    public let type: PayloadField.FieldType
    /// What it means, in a phrase.
    public let documentation: String

    /// Makes a field; a declaration checks it.
    public init(name: String, type: PayloadField.FieldType, documentation: String = "") {
      self.name = name
      self.type = type
      self.documentation = documentation
    }
  }

  /// The longest name, of a kind and of a field, in bytes.
  public static let nameLimit = 64
  /// How many fields a kind may have.
  public static let fieldLimit = 64
  /// The longest meaning, in bytes.
  public static let documentationLimit = 200

  /// The name that handlers register for: words of lower case letters, digits, `-` and `_`, joined by dots.
  public let name: String
  /// The fields, in order; they lie as the members of a C struct would.
  public let fields: [Field]

  /// Checks a declaration.
  ///
  /// - Throws: the first rule that is broken.
  public init(name: String, fields: [Field]) throws(DeclarationError) {
    guard Self.isName(name) else {
      throw DeclarationError(
        "kind name \"\(name.prefix(Self.nameLimit))\": needed are two or more words of lower case "
          + "letters, digits, - and _, joined by dots, at most \(Self.nameLimit) bytes")
    }
    guard fields.count <= Self.fieldLimit else {
      throw DeclarationError(
        "\(name) has \(fields.count) fields, at most \(Self.fieldLimit) are possible")
    }
    var taken: Set<String> = []
    for field in fields {
      guard Self.isWord(field.name), taken.insert(field.name).inserted else {
        throw DeclarationError(
          "\(name): field \"\(field.name.prefix(Self.nameLimit))\": needed is a name of its own of "
            + "lower case letters, digits and _")
      }
      guard field.documentation.utf8.count <= Self.documentationLimit,
        !field.documentation.unicodeScalars.contains(where: {
          $0.properties.generalCategory == .control
        })
      else {
        throw DeclarationError(
          "\(name).\(field.name): the meaning is longer than \(Self.documentationLimit) bytes or has "
            + "control characters")
      }
    }
    self.name = name
    self.fields = fields
  }

  /// Reads the text of a recording.
  ///
  /// - Throws: what is wrong with it.
  public init(text: String) throws(DeclarationError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var fields: [Field] = []
    for line in lines.dropFirst() {
      let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      guard words.count >= 2, let type = PayloadField.FieldType(rawValue: String(words[0])) else {
        throw DeclarationError("field \"\(line.prefix(80))\": needed is a type and a name")
      }
      fields.append(
        Field(
          name: String(words[1]), type: type,
          documentation: words.count > 2 ? String(words[2]) : ""))
    }
    try self.init(name: String(lines.first ?? ""), fields: fields)
  }

  /// The text that ``init(text:)`` reads.
  public var text: String {
    ([name] + fields.map { "\($0.type.rawValue) \($0.name) \($0.documentation)" })
      .joined(separator: "\n")
  }

  /// Whether this declaration has what another one has, and perhaps more fields behind.
  public func extends(_ older: KindDeclaration) -> Bool {
    name == older.name && fields.count >= older.fields.count
      && zip(fields, older.fields).allSatisfy { $0.name == $1.name && $0.type == $1.type }
  }

  /// Where the fields lie, and how many bytes they take.
  var layout: (fields: [PayloadField], size: Int) {
    var offset = 0
    let fields = fields.map { field in
      let alignment = field.type.alignment
      offset = (offset + alignment - 1) / alignment * alignment
      defer { offset += field.type.width }
      return PayloadField(
        name: field.name, type: field.type, documentation: field.documentation, offset: offset,
        width: field.type.width)
    }
    return (fields, (offset + 7) & ~7)
  }

  private static func isName(_ name: String) -> Bool {
    let words = name.split(separator: ".", omittingEmptySubsequences: false)
    return words.count > 1 && name.utf8.count <= nameLimit
      && words.allSatisfy { word in !word.isEmpty && word.utf8.allSatisfy(isLetterOrDash) }
  }

  private static func isWord(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= nameLimit
      && name.utf8.allSatisfy { isLetterOrDash($0) && $0 != UInt8(ascii: "-") }
  }

  private static func isLetterOrDash(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// Why a kind cannot be declared.
public struct DeclarationError: Error, Equatable, CustomStringConvertible {
  /// What was found and what is needed.
  public let description: String

  init(_ description: String) { self.description = description }
}
