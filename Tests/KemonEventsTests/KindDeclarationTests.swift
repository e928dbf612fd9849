// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@Suite struct KindDeclarationTests {
  private typealias Field = KindDeclaration.Field

  private func declaration(_ name: String, _ fields: [Field] = []) throws -> KindDeclaration {
    try KindDeclaration(name: name, fields: fields)
  }

  @Test func `a declaration survives its text`() throws {
    let original = try declaration(
      "my-guard.alert",
      [
        Field(name: "path", type: .str, documentation: "what was opened"),
        Field(name: "score", type: .u16), Field(name: "raw", type: .bytes, documentation: "a  b"),
      ])
    #expect(try KindDeclaration(text: original.text) == original)
    #expect(original.text.hasPrefix("my-guard.alert\nstr path what was opened\nu16 score \n"))
  }

  @Test(arguments: [
    "", "one", "Upper.case", "a..b", "a.b\nu9 x", "a.b\nstr", "a.b\nstr x\nu32 x", "a.b\nu32 a-b",
    "a.b\nu32 x tab\there", "a." + String(repeating: "b", count: 63),
    "a.b" + String(repeating: "\nu32 x", count: 65),
  ])
  func `what is no declaration is refused`(text: String) {
    #expect(throws: DeclarationError.self) { try KindDeclaration(text: text) }
  }

  @Test func `a kind has one number, and its fields lie as in C`() throws {
    let kind = try EventKind.declare(
      declaration(
        "layout.test",
        [
          Field(name: "small", type: .u16), Field(name: "path", type: .str),
          Field(name: "large", type: .i64), Field(name: "last", type: .u32),
        ]))
    let info = try #require(kind.info)
    #expect(info.fields.map(\.offset) == [0, 4, 16, 24])
    #expect(info.payloadSize == 32)
    #expect(kind.isDeclared)
    #expect(info.phase == .notify)
    #expect(info.family == .plugin)
    #expect(!info.canDeny)
    #expect(EventKind.named("layout.test", phase: .notify) == kind)
    #expect(EventKind.matching("layout.*", phase: nil) == [kind])
    #expect(EventKind.declaredKinds.contains(kind))
    #expect(!EventKind.allKinds.contains(kind))

    var builder = RecordBuilder()
    builder.begin(kind)
    let record = builder.seal()
    #expect(record.kind == kind)
    #expect(throws: Never.self) { try RecordView(validating: record.bytes) }
  }

  @Test func `fields can be added at the end, and nothing else`() throws {
    let (a, b) = (Field(name: "a", type: .u32), Field(name: "b", type: .u32))
    let first = try EventKind.declare(declaration("growth.test", [a]))
    #expect(try EventKind.declare(declaration("growth.test", [a, b])) == first)
    #expect(first.info?.fields.count == 2)
    #expect(try EventKind.declare(declaration("growth.test", [a])) == first, "an older plugin")
    #expect(first.info?.fields.count == 2)
    #expect(throws: DeclarationError.self) {
      try EventKind.declare(declaration("growth.test", [b, a]))
    }
    let other = try declaration("growth.other")
    #expect(throws: DeclarationError.self, "the number is taken") {
      try EventKind.declare(other, as: first.rawValue)
    }
    #expect(throws: DeclarationError.self, "it has another number") {
      try EventKind.declare(declaration("growth.test", [a]), as: first.rawValue + 1)
    }
  }
}
