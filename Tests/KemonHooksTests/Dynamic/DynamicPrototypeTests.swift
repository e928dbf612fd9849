// SPDX-License-Identifier: Apache-2.0

import KemonHooks
import Testing

@Suite struct DynamicPrototypeTests {
  @Test func `numbers, structures, long double and dots are read`() throws {
    let prototype = try DynamicPrototype(" {i64, {f32 ,f32}} ( ptr,cstr , f80, ... , f64 ) ")
    #expect(
      prototype.result
        == .structure([.scalar(.i64), .structure([.scalar(.f32), .scalar(.f32)])]))
    #expect(
      prototype.arguments == [.scalar(.ptr), .scalar(.cstr), .longDouble, .scalar(.f64)])
    #expect(prototype.fixedCount == 3)
    #expect(prototype.description == "{i64,{f32,f32}}(ptr,cstr,f80,...,f64)")
    #expect(try DynamicPrototype("void(void)").arguments.isEmpty)
    #expect(try DynamicPrototype("void()") == DynamicPrototype("void(void)"))
    #expect(try DynamicPrototype("i32(cstr, ...)").fixedCount == 1)
  }

  @Test(
    arguments: [
      ("", .syntax, 1), ("i32", .syntax, 4), ("i32(", .syntax, 5), ("i32(i32", .syntax, 8),
      ("i32(i32,)", .syntax, 9), ("i32(i32) x", .syntax, 10), ("i32)i32(", .syntax, 4),
      ("i32(...)", .syntax, 5), ("i32(i32, ..., ...)", .syntax, 15), ("i32(i32 i32)", .syntax, 9),
      ("int(i32)", .unknownType, 1), ("i32(i32, char)", .unknownType, 10),
      ("i32({i64, f16})", .unknownType, 11), ("é32()", .unknownType, 1),
      ("i32(i32, void)", .misplacedType, 10), ("i32(void, i32)", .misplacedType, 5),
      ("i32({i32, void})", .misplacedType, 11), ("i32(i32, ..., f32)", .misplacedType, 15),
      ("i32(i32, ..., u8)", .misplacedType, 15), ("i32({})", .syntax, 6),
      ("{i32(i32)", .syntax, 5), ("i32({i32)", .syntax, 9),
    ] as [(String, PrototypeError.Code, Int)])
  func `what can not be read is refused with its column`(
    _ text: String, _ code: PrototypeError.Code, _ column: Int
  ) throws {
    let error = try #require(throws: PrototypeError.self) { try DynamicPrototype(text) }
    #expect(error.code == code, "\(error)")
    #expect(error.column == column, "\(error)")
    #expect(error.description.hasPrefix("column \(column): "))
  }

  @Test func `what is too large is refused`() throws {
    let deep = String(repeating: "{", count: 17) + "i8" + String(repeating: "}", count: 17)
    let many = Array(repeating: "i8", count: 256).joined(separator: ",")
    let wide = "{" + Array(repeating: "f80", count: 255).joined(separator: ",") + "}"
    for text in ["void(\(deep))", "void(\(many))", "void({\(many)})", "void({\(wide),\(wide)})"] {
      let error = try #require(throws: PrototypeError.self) { try DynamicPrototype(text) }
      #expect(error.code == .tooLarge, "\(error)")
      #expect(error.column != nil)
    }
    #expect(try DynamicPrototype("void(\(wide))").arguments.first?.size == 4080)
  }

  @Test func `sizes and alignments are those of C`() throws {
    let types: [(String, Int, Int)] = [
      ("bool", 1, 1), ("u16", 2, 2), ("f32", 4, 4), ("cstr", 8, 8), ("f80", 16, 16),
      ("{i8}", 1, 1), ("{i8,i32}", 8, 4), ("{i64,i8}", 16, 8), ("{i8,f80,i8}", 48, 16),
      ("{i8,{i16,i8},i64}", 16, 8),
    ]
    for (text, size, alignment) in types {
      let type = try DynamicPrototype("\(text)()").result
      #expect(type.size == size, "\(text)")
      #expect(type.alignment == alignment, "\(text)")
    }
  }
}
