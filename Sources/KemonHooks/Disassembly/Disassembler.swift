// SPDX-License-Identifier: Apache-2.0

internal import CCapstone

/// Reads x86-64 machine code.
///
/// Not for use by two threads at a time: the library's handle has one buffer.
public final class Disassembler {
  private var handle: csh = 0
  private let scratch: UnsafeMutablePointer<cs_insn>

  /// Opens the library.
  ///
  /// - Throws: ``HookError/Code-swift.enum/disassemblerUnavailable``.
  public init() throws(HookError) {
    var handle: csh = 0
    let status = cs_open(CS_ARCH_X86, CS_MODE_64, &handle)
    guard status == CS_ERR_OK else {
      throw HookError(
        .disassemblerUnavailable, at: 0,
        "Capstone does not open for x86-64: \(String(cString: cs_strerror(status)))")
    }
    _ = cs_option(handle, CS_OPT_DETAIL, Int(CS_OPT_ON.rawValue))
    guard let scratch = cs_malloc(handle) else {
      cs_close(&handle)
      throw HookError(.disassemblerUnavailable, at: 0, "Capstone has no memory")
    }
    self.handle = handle
    self.scratch = scratch
  }

  deinit {
    cs_free(scratch, 1)
    cs_close(&handle)
  }

  /// Decodes the first instruction of some bytes.
  ///
  /// - Parameters:
  ///   - code: may hold more than one instruction.
  ///   - address: where the bytes stand.
  /// - Throws: ``HookError/Code-swift.enum/undecodable``.
  public func instruction(
    in code: UnsafeRawBufferPointer, at address: UInt
  ) throws(HookError) -> Instruction {
    let length = try decode(code, at: address)
    let bytes = UnsafeRawBufferPointer(rebasing: code[..<length])
    let text = InstructionText(handle: handle, instruction: scratch)
    return Instruction(
      address: address, bytes: Array(bytes), mnemonic: text.mnemonic, operands: text.operands,
      ripDisplacementOffset: try ripDisplacementOffset(at: address),
      branch: RelativeBranch(bytes, at: address))
  }

  /// Decodes whole instructions until they cover a number of bytes.
  ///
  /// - Throws: ``HookError/Code-swift.enum/tooShort`` when the code ends before that.
  public func instructions(
    in code: UnsafeRawBufferPointer, at address: UInt, covering count: Int
  ) throws(HookError) -> [Instruction] {
    var found: [Instruction] = []
    var offset = 0
    while offset < count {
      guard offset < code.count else {
        throw HookError(
          .tooShort, at: address, "\(code.count) bytes of code, a hook needs \(count)")
      }
      let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
      let next = try instruction(in: rest, at: address &+ UInt(offset))
      found.append(next)
      offset += next.bytes.count
    }
    return found
  }

  /// Goes through code from end to end and hands over what stands where; makes no text and keeps nothing.
  ///
  /// - Parameter body: gets the offset and the bytes of each instruction; returns false to stop.
  func walk(
    _ code: UnsafeRawBufferPointer, at address: UInt,
    _ body: (_ offset: Int, _ bytes: UnsafeRawBufferPointer) -> Bool
  ) throws(HookError) {
    var offset = 0
    while offset < code.count {
      let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
      let length: Int
      do {
        length = try decode(rest, at: address &+ UInt(offset))
      } catch {
        guard let known = UnknownLength.of(rest) else { throw error }
        length = known
      }
      guard body(offset, UnsafeRawBufferPointer(rebasing: rest[..<length])) else { return }
      offset += length
    }
  }

  /// Decodes one instruction into the scratch.
  private func decode(
    _ code: UnsafeRawBufferPointer, at address: UInt
  ) throws(HookError) -> Int {
    var next = code.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var left = code.count
    var position = UInt64(address)
    guard cs_disasm_iter(handle, &next, &left, &position, scratch) else {
      let bytes = code.prefix(15).map { String($0, radix: 16) }.joined(separator: " ")
      throw HookError(.undecodable, at: address, "no instruction that is known here: \(bytes)")
    }
    let length = Int(scratch.pointee.size)
    // Capstone 4 takes 66 in front of a near branch for a 16-bit distance; in 64-bit mode it has no effect.
    var index = 0
    while index < length, RelativeBranch.isPrefix(code[index]) { index += 1 }
    if code[..<index].contains(0x66), index < length,
      code[index] == 0xE8 || code[index] == 0xE9
        || (code[index] == 0x0F && index + 1 < length && code[index + 1] & 0xF0 == 0x80)
    {
      throw HookError(
        .undecodable, at: address, "a branch with an operand size prefix: its length is not certain"
      )
    }
    return length
  }

  /// Where the RIP-relative displacement of the scratch's instruction is; always four bytes long.
  private func ripDisplacementOffset(at address: UInt) throws(HookError) -> Int? {
    guard let detail = scratch.pointee.detail else { return nil }
    let x86 = detail.pointee.x86
    // ModRM with mod 00 and r/m 101 counts from the next instruction, whatever the operand is called.
    let byEncoding = x86.encoding.modrm_offset != 0 && x86.modrm & 0xC7 == 0x05
    let byOperand = withUnsafeBytes(of: x86.operands) { raw in
      raw.bindMemory(to: cs_x86_op.self).prefix(Int(x86.op_count)).contains {
        $0.type == X86_OP_MEM && ($0.mem.base == X86_REG_RIP || $0.mem.base == X86_REG_EIP)
      }
    }
    guard byEncoding || byOperand else { return nil }
    guard byEncoding, x86.encoding.disp_offset != 0, x86.addr_size == 8 else {
      throw HookError(
        .undecodable, at: address, "an operand relative to the instruction in an unusual encoding")
    }
    return Int(x86.encoding.disp_offset)
  }
}
