// SPDX-License-Identifier: Apache-2.0

public import KemonText

extension Session {
  /// The JSON Schema of sessions, made from the tables that the reader checks them against.
  public static var schema: JSONValue {
    guard case .object(var members) = SessionDocument.type.schema else {
      preconditionFailure("a session is an object")
    }
    members["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
    members["title"] = .string("A session of Kemon's kernel model")
    return .object(members)
  }
}

extension SessionType {
  /// What JSON Schema says of the type.
  ///
  /// It cannot say that a name is one of the session's processes or kexts; the reader does.
  fileprivate var schema: JSONValue {
    switch self {
    case .text: Self.type("string")
    case .shortText(let range):
      Self.type(
        "string",
        [
          "minLength": .integer(Int64(range.lowerBound)),
          "maxLength": .integer(Int64(range.upperBound)),
        ])
    case .path: Self.type("string", ["pattern": .string("^/")])
    case .choice(let names): .object(["enum": .array(names.map { .string($0) })])
    case .flag: Self.type("boolean")
    case .integer(let range):
      Self.type(
        "integer",
        ["minimum": Self.bound(range.lowerBound), "maximum": Self.bound(range.upperBound)])
    case .address:
      .object([
        "anyOf": .array([
          Self.type("integer", ["minimum": .integer(0)]),
          Self.type("string", ["pattern": .string("^0x[0-9A-Fa-f]{1,16}$")]),
        ])
      ])
    case .version:
      Self.type(
        "string", ["pattern": .string("^[0-9]{1,4}(\\.[0-9]{1,2}){0,2}((d|a|b|f|fc)[0-9]{1,3})?$")])
    case .bytes: Self.type("string", ["pattern": .string("^( *[0-9A-Fa-f] *[0-9A-Fa-f])* *$")])
    case .process, .kext: Self.type("string")
    case .list(let element): Self.type("array", ["items": element.schema])
    case .map(let type): Self.type("object", ["additionalProperties": type.schema])
    case .object(let fields): Self.object(fields)
    case .short(let name, let fields):
      .object([
        "anyOf": .array(
          fields.filter { $0.name == name }.map(\.type.schema) + [Self.object(fields)])
      ])
    case .oneOf(let fields):
      .object([
        "oneOf": .array(
          fields.map { Self.object([.required($0.name, $0.type, $0.about)]) })
      ])
    }
  }

  private static func type(_ name: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
    .object(more.merging(["type": .string(name)]) { first, _ in first })
  }

  private static func bound(_ number: Int128) -> JSONValue {
    Int64(exactly: number).map { .integer($0) } ?? .number(Double(number))
  }

  private static func object(_ fields: [SessionField]) -> JSONValue {
    let properties = fields.map { field in
      (field.name, field.type.schema.merging(.object(["description": .string(field.about)])))
    }
    let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
    return type(
      "object",
      [
        "additionalProperties": .bool(false),
        "properties": .object(Dictionary(properties, uniquingKeysWith: { first, _ in first })),
        "required": .array(required),
      ])
  }
}
