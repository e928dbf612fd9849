// SPDX-License-Identifier: Apache-2.0

import KemonHooks
import Testing

@Suite struct DisassemblerTests {
  private func decode(_ bytes: [UInt8], at address: UInt = 0x1000) throws -> Instruction {
    let disassembler = Disassembler()
    return try bytes.withUnsafeBytes { try disassembler.instruction(in: $0, at: address) }
  }

  @Test(
    arguments: [
      ([0xFF, 0xD3], "(02) ffd3 CALL RBX"),
      ([0x89, 0xC3], "(02) 89c3 MOV EBX, EAX"),
      ([0x85, 0xDB], "(02) 85db TEST EBX, EBX"),
      ([0xFF, 0x55, 0xB0], "(03) ff55b0 CALL QWORD [RBP-0x50]"),
      ([0xFF, 0x55, 0xC8], "(03) ff55c8 CALL QWORD [RBP-0x38]"),
      ([0x41, 0x89, 0xC6], "(03) 4189c6 MOV R14D, EAX"),
      ([0x49, 0x8B, 0x07], "(03) 498b07 MOV RAX, [R15]"),
      ([0x49, 0x8B, 0x7F, 0x48], "(04) 498b7f48 MOV RDI, [R15+0x48]"),
      ([0x4C, 0x8B, 0x65, 0xC0], "(04) 4c8b65c0 MOV R12, [RBP-0x40]"),
      ([0x48, 0x83, 0xEC, 0x28], "(04) 4883ec28 SUB RSP, 0x28"),
      ([0x48, 0x83, 0xE4, 0xF0], "(04) 4883e4f0 AND RSP, -0x10"),
      (
        [0x81, 0x05, 0x21, 0xD7, 0x26, 0x00, 0x00, 0x02, 0x00, 0x00],
        "(10) 810521d7260000020000 ADD DWORD [RIP+0x26d721], 0x200"
      ),
      ([0x48, 0x8B, 0x05, 0, 0, 0, 0], "(07) 488b0500000000 MOV RAX, [RIP+0x0]"),
      (
        [0x48, 0xB8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11],
        "(10) 48b88877665544332211 MOV RAX, 0x1122334455667788"
      ),
      ([0x74, 0x02], "(02) 7402 JZ 0x1004"),
      ([0x75, 0xFE], "(02) 75fe JNZ 0x1000"),
      ([0xB8, 0x05, 0x00, 0x00, 0x00], "(05) b805000000 MOV EAX, 0x5"),
      ([0xC3], "(01) c3 RET"),
      ([0x48, 0x8B, 0x44, 0xC8, 0x10], "(05) 488b44c810 MOV RAX, [RAX+RCX*8+0x10]"),
      ([0x0F, 0xB6, 0x07], "(03) 0fb607 MOVZX EAX, BYTE [RDI]"),
      (
        [0x64, 0x48, 0x8B, 0x04, 0x25, 0x28, 0, 0, 0],
        "(09) 64488b042528000000 MOV RAX, [FS:0x28]"
      ),
      ([0xF0, 0x0F, 0xB1, 0x0F], "(04) f00fb10f LOCK CMPXCHG [RDI], ECX"),
    ] as [([UInt8], String)])
  func `instructions read as in Kemon's logs`(_ bytes: [UInt8], _ text: String) throws {
    #expect(try decode(bytes).description == text)
  }

  @Test func `bytes that are no instruction are refused with their address`() throws {
    let error = try #require(throws: HookError.self) { try decode([0x06], at: 0x77) }
    #expect(error.code == .undecodable)
    #expect(error.address == 0x77)
    #expect(throws: HookError.self) { try decode([]) }
  }

  @Test func `a near branch with an operand size prefix is refused, since its length is uncertain`()
    throws
  {
    for bytes: [UInt8] in [[0x66, 0xE9, 0, 0, 0, 0], [0x66, 0x0F, 0x84, 0, 0, 0, 0]] {
      let error = try #require(throws: HookError.self) { try decode(bytes) }
      #expect(error.code == .undecodable)
    }
  }

  @Test func `an operand relative to the lower half of the address is refused`() throws {
    let error = try #require(throws: HookError.self) {
      try decode([0x67, 0x48, 0x8B, 0x05, 0x10, 0, 0, 0])
    }
    #expect(error.code == .undecodable)
  }

  @Test func `whole instructions cover the bytes that are asked for`() throws {
    let disassembler = Disassembler()
    let code: [UInt8] = [0xFF, 0xD3, 0x89, 0xC3, 0x85, 0xDB, 0xC3]
    let found = try code.withUnsafeBytes {
      try disassembler.instructions(in: $0, at: 0, covering: 5)
    }
    #expect(found.map(\.text) == ["CALL RBX", "MOV EBX, EAX", "TEST EBX, EBX"])
    let error = try #require(throws: HookError.self) {
      try code.withUnsafeBytes { try disassembler.instructions(in: $0, at: 0, covering: 8) }
    }
    #expect(error.code == .tooShort)
  }
}
