// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonText

@Suite struct JSONValueTests {
  @Test func `every kind of value is read`() throws {
    let text = #" {"a": [null, true, false, -12, 1.5, 2e3, "x\n\u00e9\ud83d\ude00\/"], "b": {}} "#
    let value = try JSONValue(parsing: text)
    #expect(
      value
        == .object([
          "a": .array([
            .null, .bool(true), .bool(false), .integer(-12), .number(1.5), .number(2000),
            .string("x\né😀/"),
          ]), "b": .object([:]),
        ]))
  }

  @Test(arguments: [
    ("", 1, 1, "the text ends here, needed is a value"),
    ("{\"a\": 1,\n \"b\": tru}", 2, 10, "found '}', needed is true"),
    ("{\"a\": 1,\n \"a\": 2}", 2, 2, "the member \"a\" is there twice"),
    ("[1, 2", 1, 6, "the text ends here, needed is ',' or ']'"),
    ("[1] x", 1, 5, "found 'x', needed is the end"),
    ("\"é\" x", 1, 5, "found 'x', needed is the end"),
    ("{a: 1}", 1, 2, "found 'a', needed is a member's name in quotes"),
    ("[01]", 1, 3, "found '1', needed is ',' or ']'"),
    ("[1.]", 1, 4, "found ']', needed is a digit"),
    ("[-]", 1, 3, "found ']', needed is a digit"),
    ("[1e400]", 1, 2, "the number 1e400 is out of range"),
    ("\"abc", 1, 1, "the text has no closing quote"),
    ("\"a\nb\"", 1, 3, "found byte 0xa, needed is an escape such as \\n"),
    ("\"\\x\"", 1, 3, "found 'x', needed is one of \" \\ / b f n r t u"),
    ("\"\\ud800\"", 1, 2, "half a surrogate pair"),
    ("\"\\u12g4\"", 1, 6, "found 'g', needed is four hexadecimal digits"),
  ])
  func `a mistake is shown where it is`(
    text: String, line: Int, column: Int, message: String
  ) throws {
    let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
    #expect(error == JSONError(line: line, column: column, message))
  }

  @Test func `text that is not UTF-8 is refused`() throws {
    let error = try #require(throws: JSONError.self) {
      try JSONValue(parsing: [0x22, 0xFF, 0x22])
    }
    #expect(error.message == "the text is not UTF-8")
  }

  @Test func `hostile nesting does not exhaust the stack`() throws {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
    let error = try #require(throws: JSONError.self) { try JSONValue(parsing: deep) }
    #expect(error.message == "nested deeper than 128")
  }

  @Test func `integers keep 64 bits`() throws {
    #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(9_223_372_036_854_775_808))
  }

  @Test func `a value is written so that it reads back the same`() throws {
    let text = #"{"a": [null, true, -1, 0.1, 1e+300], "b\n\"\\\u0001\u007f": "é😀", "c": {}}"#
    let value = try JSONValue(parsing: text)
    #expect(value.text == text)
    #expect(try JSONValue(parsing: value.text) == value)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `Foundation agrees on what is JSON`(seed: UInt64) throws {
    let original = Array(
      #"{"a": [null, true, -12.5e+3, "x\n\u00e9"], "b": {"c": [0, {"d": ""}]}, "e": false}"#.utf8)
    let alphabet = Array(#"{}[]",:\untrfe01.-+ E/é"#.utf8) + [0, 0x0A, 0x1F, 0xFF]
    var generator = SeededRandom(seed: seed)
    var accepted = 0
    for _ in 0..<2000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes.remove(at: at)
        case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: at)
        default: bytes[at] = alphabet.randomElement(using: &generator) ?? 0
        }
      }
      let theirs =
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
      do throws(JSONError) {
        _ = try JSONValue(parsing: bytes)
        accepted += 1
        #expect(theirs, "\(String(decoding: bytes, as: UTF8.self))")
      } catch {
        // Foundation lets members stand twice and commas stand behind the last one.
        let isStricter =
          error.message.hasSuffix("is there twice")
          || error.message == "found '}', needed is a member's name in quotes"
        #expect(
          !theirs || isStricter, "\(error): \(String(decoding: bytes, as: UTF8.self))")
      }
    }
    #expect(accepted > 100 && accepted < 1900)
  }

  @Test func `values are found by their paths`() throws {
    let value = try JSONValue(parsing: #"{"deny": [{"id": "x"}, {"id": "y"}], "n": 3, "m": [[1]]}"#)
    #expect(value.value(at: "deny[1].id") == .string("y"))
    #expect(value.value(at: "m[0][0]") == .integer(1))
    #expect(value.value(at: "") == value)
    for path in [
      "deny[2].id", "deny.id", "n.x", "n[0]", "deny[", "deny[-1]", "deny[x]", ".n", "n.",
      "deny..id",
      "deny[0]id", "deny[99999999999999999999]", "absent",
    ] {
      #expect(value.value(at: path) == nil, "\(path)")
    }
  }

  @Test func `values are put where their paths lead`() throws {
    var value = JSONValue.object([:])
    try value.set(.integer(1), at: "guard.deny[0].id")
    try value.set(.integer(2), at: "guard.deny[1].id")
    try value.set(.string("x"), at: "guard.deny[0].id")
    #expect(value.text == #"{"guard": {"deny": [{"id": "x"}, {"id": 2}]}}"#)
    let beyond = try #require(throws: JSONError.self) {
      try value.set(.null, at: "guard.deny[3]")
    }
    #expect(beyond.message == "path guard.deny[3]: element 3 of 2 elements")
    let blocked = try #require(throws: JSONError.self) {
      try value.set(.null, at: "guard.deny[0].id.more")
    }
    #expect(blocked.message == "path guard.deny[0].id.more: text has no member \"more\"")
    let malformed = try #require(throws: JSONError.self) { try value.set(.null, at: "a[x]") }
    #expect(malformed == JSONError(line: 1, column: 2, "path a[x]: needed is an index such as [0]"))
    #expect(value.text == #"{"guard": {"deny": [{"id": "x"}, {"id": 2}]}}"#, "unchanged")
  }

  @Test func `a setting of the command line is JSON or text`() throws {
    var value = JSONValue.object([:])
    for setting in ["g.n=12", "g.t=true", "g.s=/etc/x=y", "g.q=\"12\"", "g.l=[1, 2]", "g.e="] {
      try value.set(setting)
    }
    #expect(
      value.text
        == #"{"g": {"e": "", "l": [1, 2], "n": 12, "q": "12", "s": "/etc/x=y", "t": true}}"#)
    #expect(throws: JSONError.self) { try value.set("novalue") }
    #expect(throws: JSONError.self) { try value.set("=x") }
  }

  @Test func `one configuration is laid over another`() throws {
    let base = try JSONValue(parsing: #"{"a": {"x": 1, "y": [1, 2]}, "b": 1}"#)
    let over = try JSONValue(parsing: #"{"a": {"y": [3], "z": null}, "b": {"c": 2}}"#)
    #expect(
      base.merging(over).text == #"{"a": {"x": 1, "y": [3], "z": null}, "b": {"c": 2}}"#)
  }
}
