// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonHooks

@Suite struct RelocatorTests {
  private let source: UInt = 0x10_0000
  private let destination: UInt = 0x50_0000

  private func decode(_ bytes: [UInt8], at address: UInt) throws -> [Instruction] {
    let disassembler = Disassembler()
    return try bytes.withUnsafeBytes {
      try disassembler.instructions(in: $0, at: address, covering: bytes.count)
    }
  }

  private func code(_ bytes: [UInt8], to destination: UInt? = nil) throws -> [UInt8] {
    // Something follows, so that a call at the end is not the end of the window.
    let relocator = Relocator(
      instructions: try decode(bytes, at: source), resume: source + UInt(bytes.count),
      returnsToOldPlace: false)
    return try relocator.relocate(to: destination ?? self.destination).bytes
  }

  /// The moved instructions without the jump back.
  private func relocate(_ bytes: [UInt8], to destination: UInt? = nil) throws -> [Instruction] {
    let moved = try code(bytes, to: destination)
    let all = try decode(moved, at: destination ?? self.destination)
    return all.last?.branch?.target == source + UInt(bytes.count) ? all.dropLast() : all
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

  @Test func `branches between the moved instructions stay between them`() throws {
    // jmp over a nop
    #expect(
      try relocate([0x90, 0xEB, 0x01, 0x90, 0x90]).map(\.text)
        == ["NOP", "JMP 0x500007", "NOP", "NOP"])
    // jz back to the first nop
    #expect(try relocate([0x90, 0x90, 0x74, 0xFC]).map(\.text).last == "JZ 0x500000")
    // loop back to the first nop
    #expect(try relocate([0x90, 0x90, 0x90, 0xE2, 0xFB]).map(\.text).last == "JMP 0x500000")
    // Into the middle of an instruction.
    #expect(try refusal([0x48, 0x89, 0xE5, 0xEB, 0xFC]).code == .branchIntoWindow)
  }

  @Test func `a call of the function itself stays one`() throws {
    let moved = try relocate([0x90, 0xE8, 0xFA, 0xFF, 0xFF, 0xFF])
    #expect(moved.map(\.text) == ["NOP", "CALL 0x100000"])
  }

  @Test func `a call at the end returns to the old place`() throws {
    let relocator = Relocator(
      instructions: try decode([0xE8, 0, 1, 0, 0], at: source), resume: source + 5)
    let moved = try relocator.relocate(to: destination)
    // push [rip + literal]; jmp target; jmp resume; literal
    #expect(Array(moved.bytes[..<2]) == [0xFF, 0x35])
    let found = try decode(Array(moved.bytes[6..<11]), at: destination + 6)
    #expect(found.map(\.text) == ["JMP 0x100105"])
    #expect(Array(moved.bytes.suffix(8)) == [0x05, 0, 0x10, 0, 0, 0, 0, 0])
  }

  @Test func `an indirect call at the end returns to the old place`() throws {
    func move(_ bytes: [UInt8]) throws -> String {
      let relocator = Relocator(
        instructions: try decode(bytes, at: source), resume: source + UInt(bytes.count))
      let code = try relocator.relocate(to: destination).bytes
      return try decode(Array(code[6..<(6 + bytes.count)]), at: destination + 6)[0].text
    }
    #expect(try move([0xFF, 0xD3]) == "JMP RBX")
    #expect(try move([0x41, 0xFF, 0x54, 0xC4, 0x08]) == "JMP QWORD [R12+RAX*8+0x8]")
    // The pushed address would move what this one reads.
    let call: [UInt8] = [0xFF, 0x54, 0x24, 0x08]
    let relocator = Relocator(instructions: try decode(call, at: source), resume: source + 4)
    #expect(Array(try relocator.relocate(to: destination).bytes[..<4]) == call)
  }

  @Test func `code that reads its own address reads the old one`() throws {
    let moved = try code([0xE8, 0, 0, 0, 0])
    #expect(Array(moved[..<2]) == [0xFF, 0x35])
    #expect(Array(moved.suffix(8)) == [0x05, 0, 0x10, 0, 0, 0, 0, 0])
  }

  @Test func `a transaction ends where it ended`() throws {
    let moved = try code([0xC7, 0xF8, 0x10, 0, 0, 0])
    #expect(Array(moved[..<2]) == [0xC7, 0xF8])
    let distance = moved.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 2, as: Int32.self) }
    #expect(distance == 0x10_0016 - 0x50_0006)
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
