// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonPluginHost

@Suite struct TypedSignatureTests {
  @Test(arguments: [
    ("path:z flags:i", "path:z flags:i"), ("", ""), ("  a:c,b:C\n\tc:*L ", "a:c b:C c:*L"),
    ("signer_type?:p", "signer_type?:p"), ("subject.uid:I", "subject.uid:I"),
    ("t:{l{ii}d}", "t:{l{ii}d}"), ("[path:b n:n]", "[path:b n:n]"), ("[]", "[]"),
    ("a:f b:d -> {dd}", "a:f b:d -> {dd}"), ("->i", "-> i"), ("a:z -> z", "a:z -> z"),
    ("event:e", "event:e"),
  ])
  func `a signature is read and written`(text: String, written: String) throws {
    let signature = try TypedSignature(parsing: text)
    #expect(signature.text == written)
    #expect(try TypedSignature(parsing: written).text == written)
  }

  @Test(arguments: [
    ("path", 1, 5, "the end behind \"path\", needed is : and a type, as in path:i"),
    ("path:", 1, 6, "the end where a type is needed"),
    (":z", 1, 1, "\":\" where the name of a field is needed"),
    ("1a:z", 1, 1, "\"1\" where the name of a field is needed"),
    ("a:ii", 1, 4, "\"i\" behind a type; fields are apart by a space or a comma"),
    ("a:z\nb:z a:i", 2, 5, "\"a\" stands here a second time"),
    ("a:{", 1, 3, "{ without its }"), ("a:{}", 1, 3, "a struct without members"),
    ("a:{z}", 1, 4, "\"z\" inside a struct; its members are numbers and structs"),
    ("a:{*i}", 1, 4, "\"*\" inside a struct; its members are numbers and structs"),
    ("a:{{{{{i}}}}}", 1, 7, "more than 4 structs inside each other"),
    ("[a:z", 1, 5, "the end where ] is needed"),
    ("a:z]", 1, 4, "\"]\" behind the end of the signature"),
    ("a:z - i", 1, 6, "\" \" where > of -> is needed"),
    ("-> b", 1, 4, "a result can not be b; it is a number, z or a struct"),
    ("-> i x:i", 1, 6, "\"x\" behind the end of the signature"),
    (
      "a:ä", 1, 3,
      "\"ä\" is no type; types are c C h H i I l L n p f d, z, b, e, * and a number, {…}"
    ),
  ])
  func `a mistake is shown where it is`(
    text: String, line: Int, column: Int, message: String
  ) throws {
    let error = #expect(throws: SignatureError.self) { try TypedSignature(parsing: text) }
    #expect(error?.message == message)
    #expect(error?.line == line && error?.column == column, "\(String(describing: error))")
  }

  @Test func `sizes have limits`() {
    let many = (0...TypedSignature.fieldLimit).map { "f\($0):i" }.joined(separator: " ")
    #expect(throws: SignatureError.self) { try TypedSignature(parsing: many) }
    let wide = "a:{\(String(repeating: "L", count: 33))}"
    #expect(throws: SignatureError.self) { try TypedSignature(parsing: wide) }
    let long = String(repeating: " ", count: TypedSignature.textLimit + 1)
    #expect(throws: SignatureError.self) { try TypedSignature(parsing: long) }
  }

  @Test func `structures are laid out as C does`() throws {
    for (text, size, alignment) in [
      ("{c}", 1, 1), ("{ci}", 8, 4), ("{ic}", 8, 4), ("{cl}", 16, 8), ("{c{ch}d}", 16, 8),
      ("{ccc}", 3, 1), ("{h{c}}", 4, 2),
    ] {
      let type = try TypedSignature(parsing: "a:\(text)").fields[0].type
      #expect(type.size == size && type.alignment == alignment, "\(text)")
    }
  }

  @Test(arguments: [
    ("a:i", "fast"), ("a:z b:b c:*i", "fast"), ("a:d", "ffi"), ("a:f", "ffi"), ("a:{i}", "ffi"),
    ("[a:d b:{ii}]", "words"),
    ((0..<14).map { "f\($0):l" }.joined(separator: " "), "fast"),
    ((0..<15).map { "f\($0):l" }.joined(separator: " "), "ffi"),
    ((0..<7).map { "f\($0):b" }.joined(separator: " "), "fast"),
    ((0..<8).map { "f\($0):b" }.joined(separator: " "), "ffi"),
  ])
  func `integers take the fast lane, everything else libffi`(text: String, lane: String) throws {
    let layout = CallLayout(try TypedSignature(parsing: text), hasVerdict: true)
    #expect(layout.lane.rawValue == lane)
  }
}
