// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonHooks

@Suite struct RelocatorTests {
  private let source: UInt = 0x10_0000
  private let destination: UInt = 0x50_0000

  private func decode(_ bytes: [UInt8], at address: UInt) throws -> [Instruction] {
    let disassembler = try Disassembler()
    return try bytes.withUnsafeBytes {
      try disassembler.instructions(in: $0, at: address, covering: bytes.count)
    }
  }

  private func relocate(_ bytes: [UInt8], to destination: UInt? = nil) throws -> [Instruction] {
    let old = try decode(bytes, at: source)
    let relocator = Relocator(window: source..<(source + UInt(bytes.count)))
    let place = destination ?? self.destination
    return try decode(try relocator.relocate(old, to: place), at: place)
  }

  private func refusal(_ bytes: [UInt8], to destination: UInt? = nil) throws -> HookError {
    try #require(throws: HookError.self) { try relocate(bytes, to: destination) }
  }

  @Test func `what does not depend on its place is copied`() throws {
    let code: [UInt8] = [0x55, 0x48, 0x89, 0xE5, 0x41, 0x57, 0x48, 0x83, 0xEC, 0x28]
    #expect(try relocate(code).flatMap(\.bytes) == code)
  }

  @Test(
    arguments: [
      ([0x48, 0x8B, 0x05, 0x10, 0, 0, 0], "mov rax"),
      ([0x48, 0x8D, 0x3D, 0xF0, 0xFF, 0xFF, 0xFF], "lea with a negative distance"),
      ([0xC7, 0x05, 0x10, 0, 0, 0, 1, 2, 3, 4], "an immediate behind the displacement"),
      (
        [0x66, 0x0F, 0x6F, 0x05, 0x10, 0, 0, 0], "a 66 prefix, where Capstone names the wrong size"
      ),
      ([0xC5, 0xF9, 0x6F, 0x05, 0x10, 0, 0, 0], "VEX"),
      ([0xFF, 0x25, 0x10, 0, 0, 0], "jmp through memory"),
      ([0xF2, 0x0F, 0x10, 0x05, 0x10, 0, 0, 0], "movsd"),
    ] as [([UInt8], String)])
  func `RIP-relative operands mean the same address afterwards`(
    _ code: [UInt8], _ what: String
  ) throws {
    let before = try #require(try decode(code, at: source).first)
    let after = try #require(try relocate(code).first)
    #expect(before.ripTarget != nil)
    #expect(after.ripTarget == before.ripTarget, "\(what)")
    #expect(after.bytes.count == before.bytes.count)
  }

  @Test(
    arguments: [
      ([0xEB, 0x40], "JMP 0x100042"), ([0xE9, 0, 1, 0, 0], "JMP 0x100105"),
      ([0x74, 0x40], "JZ 0x100042"), ([0x7F, 0x80], "JG 0xfff82"),
      ([0x0F, 0x8C, 0, 1, 0, 0], "JL 0x100106"), ([0xE8, 0, 1, 0, 0], "CALL 0x100105"),
      ([0x2E, 0x75, 0x40], "JNZ 0x100043"), ([0xF2, 0xE9, 0, 1, 0, 0], "JMP 0x100106"),
    ] as [([UInt8], String)])
  func `branches lead to the same place afterwards`(_ code: [UInt8], _ text: String) throws {
    #expect(try relocate(code).map(\.text) == [text])
  }

  @Test func `branches without a long form go over a jump that has one`() throws {
    let moved = try relocate([0xE3, 0x40])
    #expect(
      moved.map(\.text) == ["JRCXZ 0x500004", "JMP 0x500009", "JMP 0x100042"])
    #expect(try relocate([0x67, 0xE3, 0x40]).map(\.text).last == "JMP 0x100043")
    #expect(try relocate([0xE2, 0x40]).map(\.text).first == "LOOP 0x500004")
  }

  @Test func `branches between the replaced instructions are refused`() throws {
    #expect(try refusal([0x90, 0xEB, 0x01, 0x90, 0x90]).code == .branchIntoWindow)
    #expect(try refusal([0x90, 0x90, 0x74, 0xFC]).code == .branchIntoWindow)
    #expect(try refusal([0x90, 0x90, 0x90, 0xE2, 0xFC]).code == .branchIntoWindow)
  }

  @Test func `a call of the function itself stays one`() throws {
    let moved = try relocate([0x90, 0xE8, 0xFA, 0xFF, 0xFF, 0xFF])
    #expect(moved.map(\.text) == ["NOP", "CALL 0x100000"])
  }

  @Test func `reading the own address is refused`() throws {
    #expect(try refusal([0xE8, 0, 0, 0, 0]).code == .positionDependent)
  }

  @Test func `the beginning of a transaction is refused`() throws {
    #expect(try refusal([0xC7, 0xF8, 0x10, 0, 0, 0]).code == .positionDependent)
  }

  @Test func `what can not be reached from the new place is refused`() throws {
    let far: UInt = 0x2_0000_0000
    for code: [UInt8] in [[0x48, 0x8B, 0x05, 0, 0, 0, 0], [0xE9, 0, 1, 0, 0], [0x74, 0x40]] {
      let error = try refusal(code, to: far)
      #expect(error.code == .outOfReach)
      #expect(error.message.contains("2 GiB"))
    }
  }
}
