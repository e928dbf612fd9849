// SPDX-License-Identifier: Apache-2.0

import KemonText
import Testing

@Suite struct JSONSchemaTests {
  private func schema(_ text: String) throws -> JSONSchema {
    try JSONSchema(JSONValue(parsing: text))
  }

  private func problems(_ schemaText: String, _ value: String) throws -> [String] {
    try schema(schemaText).problems(of: JSONValue(parsing: value)).map(\.description)
  }

  private static let rules = """
    {"type": "object", "additionalProperties": false, "required": ["deny"], "properties": {
      "deny": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}},
      "limit": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5}},
     "$defs": {"rule": {"type": "object", "required": ["id"], "additionalProperties": false,
      "properties": {"id": {"type": "string", "minLength": 1}, "why": {"type": "string"},
       "kind": {"enum": ["open", "exec"], "default": "open"}}}}}
    """

  @Test func `everything that is wrong is told with its path`() throws {
    let value = #"{"dney": 1, "deny": [{"id": ""}, {"why": 2, "kind": "x"}, 3], "limit": 11}"#
    #expect(
      try problems(Self.rules, value) == [
        "deny[0].id: found 0, needed is at least 1 character",
        "deny[1].id: found nothing, needed is a value",
        #"deny[1].kind: found "x", needed is one of "open", "exec""#,
        "deny[1].why: found an integer, needed is text",
        "deny[2]: found an integer, needed is an object",
        "dney: found an unknown member, needed is perhaps deny",
        "limit: found 11, needed is 10 or less",
      ])
    #expect(try problems(Self.rules, "{}") == ["deny: found nothing, needed is a value"])
    #expect(try problems(Self.rules, "[]") == ["found an array, needed is an object"])
    #expect(try problems(Self.rules, #"{"deny": [{"id": "a"}]}"#).isEmpty)
  }

  @Test func `defaults are filled in, also behind references and in elements`() throws {
    let value = try JSONValue(parsing: #"{"deny": [{"id": "a"}, {"id": "b", "kind": "exec"}]}"#)
    #expect(
      try schema(Self.rules).fillingDefaults(in: value).text
        == #"{"deny": [{"id": "a", "kind": "open"}, {"id": "b", "kind": "exec"}], "limit": 5}"#)
  }

  @Test(arguments: [
    (#"{"type": ["string", "null"]}"#, ["\"a\"", "null"], ["1", "[]"]),
    (#"{"type": "integer"}"#, ["1", "1.0", "-3"], ["1.5", "\"1\""]),
    (#"{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}"#, ["0.5"], ["0", "1"]),
    (#"{"multipleOf": 0.5}"#, ["1", "1.5", "\"x\""], ["1.2"]),
    (#"{"const": {"a": [1.0]}}"#, [#"{"a": [1]}"#], [#"{"a": [2]}"#, "{}"]),
    (#"{"uniqueItems": true, "maxItems": 2}"#, ["[1, 2]", "[]"], ["[1, 1.0]", "[1, 2, 3]"]),
    (#"{"maxLength": 2}"#, ["\"äö\""], ["\"abc\""]),
    (#"{"minProperties": 1, "maxProperties": 1}"#, [#"{"a": 1}"#], ["{}", #"{"a": 1, "b": 2}"#]),
    (
      #"{"dependentRequired": {"a": ["b"]}}"#, ["{}", #"{"b": 1}"#, #"{"a": 1, "b": 1}"#],
      [#"{"a": 1}"#]
    ),
    (#"{"additionalProperties": {"type": "string"}}"#, [#"{"a": "b"}"#], [#"{"a": 1}"#]),
    (
      #"{"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]}"#, ["\"\"", "3"],
      ["2", "true"]
    ),
    (
      #"{"oneOf": [{"minimum": 1}, {"maximum": 5}]}"#, ["0", "6"], ["3"]
    ),
    (#"{"allOf": [{"minimum": 1}, {"maximum": 5}]}"#, ["3"], ["0", "6"]),
    (#"{"not": {"type": "string"}}"#, ["1"], ["\"\""]), ("false", [], ["1", "{}"]),
    ("true", ["1"], []), ("{}", ["1", "null"], []),
  ])
  func `a keyword lets through what it should and nothing else`(
    text: String, good: [String], bad: [String]
  ) throws {
    for value in good { #expect(try problems(text, value).isEmpty, "\(value)") }
    for value in bad { #expect(try !problems(text, value).isEmpty, "\(value)") }
  }

  @Test func `a value may be as deep as its schema refers to itself`() throws {
    let text = """
      {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "additionalProperties": false,
       "properties": {"left": {"$ref": "#/$defs/tree"}}}}}
      """
    #expect(try problems(text, #"{"left": {"left": {}}}"#).isEmpty)
    #expect(
      try problems(text, #"{"left": {"left": {"rigth": 1}}}"#) == [
        "left.left.rigth: found an unknown member, needed is one of left"
      ])
  }

  @Test(arguments: [
    (#"{"propertys": {}}"#, "propertys: found an unknown keyword, needed is perhaps properties"),
    (#"{"pattern": "a*"}"#, "pattern: found an unknown keyword"),
    (#"{"type": "text"}"#, "type: found \"text\""), (#"{"type": []}"#, "type: found []"),
    (#"{"minimum": "1"}"#, "minimum: found text, needed is a number"),
    (#"{"minItems": -1}"#, "minItems: found -1"),
    (#"{"properties": {"a": 1}}"#, "properties.a: found an integer, needed is a schema"),
    (#"{"$ref": "other.json"}"#, "$ref: found \"other.json\", needed is \"#/$defs/NAME\""),
    (
      ##"{"$ref": "#/$defs/rlue", "$defs": {"rule": {}}}"##,
      "$ref: found \"rlue\", needed is perhaps rule"
    ),
    (
      ##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}"##,
      "$defs.a: found a reference that leads back to itself"
    ),
    (#"{"anyOf": []}"#, "anyOf: found []"), ("3", "found an integer, needed is a schema"),
    (#"{"required": "a"}"#, "required: found \"a\""),
  ])
  func `a schema that is wrong is refused, not ignored`(text: String, part: String) throws {
    let failure = #expect(throws: SchemaFailure.self) { _ = try schema(text) }
    let lines = failure?.problems.map(\.description) ?? []
    #expect(lines.contains { $0.hasPrefix(part) }, "\(lines)")
  }

  @Test func `secrets are never quoted`() throws {
    let text = """
      {"properties": {"token": {"type": "string", "x-secret": true, "enum": ["s3cret"]},
        "hosts": {"items": {"properties": {"key": {"x-secret": true, "minimum": 5}}}}}}
      """
    let value = #"{"token": "hunter2", "hosts": [{"key": 4, "name": "a"}]}"#
    #expect(
      try problems(text, value) == [
        "hosts[0].key: found a secret, needed is 5 or more",
        #"token: found a secret, needed is "s3cret""#,
      ])
    let schema = try schema(text)
    let parsed = try JSONValue(parsing: value)
    #expect(
      schema.redacting(parsed).text == #"{"hosts": [{"key": "***", "name": "a"}], "token": "***"}"#)
    #expect(Set(schema.secrets(in: parsed)) == ["hunter2", "4"])
  }

  @Test func `a secret is not quoted by a rule about what it is in, or beside what says so`() throws
  {
    let key = ##""properties": {"key": {"x-secret": true}}"##
    for (rule, value) in [
      (##""not": {"required": ["key"]}"##, #"{"key": "hunter2"}"#),
      (##""const": {}"##, #"{"key": "hunter2"}"#), (##""enum": [1, 2]"##, #"{"key": "hunter2"}"#),
      (##""oneOf": [{}, {}]"##, #"{"key": "hunter2"}"#),
    ] {
      let found = try problems("{\(key), \(rule)}", value)
      #expect(!found.isEmpty && !found.contains { $0.contains("hunter2") }, "\(found)")
    }
    for text in [
      ##"{"properties": {"a": {"$ref": "#/$defs/s", "const": 1}}, "$defs": {"s": {"x-secret": true}}}"##,
      ##"{"properties": {"a": {"allOf": [{"const": 1}, {"x-secret": true}]}}}"##,
      ##"{"properties": {"a": {"const": 1}}, "anyOf": [{"properties": {"a": {"x-secret": true}}}]}"##,
    ] {
      let found = try problems(text, #"{"a": "hunter2"}"#)
      #expect(found == ["a: found a secret, needed is 1"])
    }
    let list = ##"{"uniqueItems": true, "items": {\##(key)}}"##
    #expect(
      try problems(list, #"[{"key": 7}, {"key": 7}]"#) == [
        #"[1]: found {"key": "***"}, needed is each element once"#
      ])
  }

  @Test(arguments: [
    ##"{"properties": {"c": {"$ref": "#/$defs/n", "default": {}}}}"##,
    ##"{"allOf": [{"properties": {"c": {"default": {}}}}, {"properties": {"c": {"$ref": "#/$defs/n"}}}]}"##,
    ##"{"properties": {"c": {"$ref": "#/$defs/n", "default": [{}]}}, "items": {"$ref": "#/$defs/n"}}"##,
  ])
  func `defaults without an end are refused`(definition: String) throws {
    let failure = #expect(throws: SchemaFailure.self) {
      _ = try schema(##"{"$ref": "#/$defs/n", "$defs": {"n": \##(definition)}}"##)
    }
    #expect(failure?.problems.first?.found == "defaults that bring ever more defaults with them")
  }

  @Test func `defaults that double with every level are refused`() throws {
    let definitions = (0..<40).map { level in
      let next = ##"{"$ref": "#/$defs/n\##(level + 1)", "default": {}}"##
      return ##""n\##(level)": {"properties": {"a": \##(next), "b": \##(next)}}"##
    }
    let text = definitions.joined(separator: ", ")
    #expect(throws: SchemaFailure.self) {
      _ = try schema(##"{"$ref": "#/$defs/n0", "$defs": {\##(text), "n40": {}}}"##)
    }
  }

  @Test func `a member that refers to what it is in may have a default that ends`() throws {
    let tree = try schema(
      ##"{"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"c": {"$ref": "#/$defs/n", "default": null}}}}}"##
    )
    let value = try JSONValue(parsing: #"{"c": {}}"#)
    #expect(try tree.fillingDefaults(in: value).text == #"{"c": {"c": null}}"#)
  }

  @Test(arguments: ["allOf", "anyOf", "oneOf"])
  func `parts that double with every reference do not take for ever`(keyword: String) throws {
    let definitions = (0..<40).map { level in
      let next = ##"{"$ref": "#/$defs/n\##(level + 1)"}"##
      return ##""n\##(level)": {"\##(keyword)": [\##(next), \##(next)]}"##
    }
    let text = definitions.joined(separator: ", ")
    let schema = try schema(
      ##"{"$ref": "#/$defs/n0", "$defs": {\##(text), "n40": {"x-secret": true}}}"##)
    #expect(schema.redacting(.integer(1)) == .string("***"))
    #expect(schema.problems(of: .integer(1)).map(\.needed) == ["a simpler one, or less of a value"])
  }

  @Test func `a path's place in a text is found, or that of what is nearest`() throws {
    let text = "{\n  \"deny\": [\n    {\"id\": 3}\n  ]\n}"
    let node = try JSONNode(parsing: Array(text.utf8))
    func place(_ path: String) -> String {
      TextPlace(of: node.offset(at: path), in: Array(text.utf8)).description
    }
    #expect(place("") == "line 1, column 1")
    #expect(place("deny") == "line 2, column 3")
    #expect(place("deny[0].id") == "line 3, column 6")
    #expect(place("deny[0].why") == "line 3, column 5")
    #expect(place("deny[7]") == "line 2, column 3")
  }
}
