// SPDX-License-Identifier: Apache-2.0

internal import CCapstone

/// The text of an instruction as Kemon's logs have it: diStorm's style, `CALL QWORD [RBP-0x50]`.
struct InstructionText {
  let mnemonic: String
  let operands: String

  /// Asks the disassembler library.
  init(of instruction: Instruction) {
    var handle: csh = 0
    guard cs_open(CS_ARCH_X86, CS_MODE_64, &handle) == CS_ERR_OK else {
      self.init()
      return
    }
    defer { cs_close(&handle) }
    cs_option(handle, CS_OPT_DETAIL, Int(CS_OPT_ON.rawValue))
    guard let scratch = cs_malloc(handle) else {
      self.init()
      return
    }
    defer { cs_free(scratch, 1) }
    let isKnown = instruction.bytes.withUnsafeBufferPointer { bytes in
      var next = bytes.baseAddress
      var left = bytes.count
      var position = UInt64(instruction.address)
      return cs_disasm_iter(handle, &next, &left, &position, scratch) && left == 0
    }
    if isKnown {
      self.init(handle: handle, instruction: scratch)
    } else {
      self.init()
    }
  }

  private init() {
    mnemonic = "?"
    operands = ""
  }

  /// Formats an instruction that was decoded with details.
  private init(handle: csh, instruction: UnsafePointer<cs_insn>) {
    let name = Self.string(UnsafeRawPointer(instruction), at: \.mnemonic)
    // A prefix such as "lock" comes in front of the mnemonic itself.
    var words = name.split(separator: " ").map(String.init)
    if let last = words.popLast() { words.append(Self.renamed[last] ?? last) }
    mnemonic = words.joined(separator: " ").uppercased()
    guard let detail = instruction.pointee.detail else {
      operands = Self.string(UnsafeRawPointer(instruction), at: \.op_str).uppercased()
      return
    }
    let formatter = OperandFormatter(
      handle: handle, x86: detail.pointee.x86, mnemonic: words.last ?? "")
    operands = formatter.text
  }

  /// Where diStorm says something else than Capstone.
  private static let renamed = [
    "movabs": "mov", "je": "jz", "jne": "jnz", "sete": "setz", "setne": "setnz",
    "cmove": "cmovz", "cmovne": "cmovnz", "loope": "loopz", "loopne": "loopnz",
  ]

  static func string<Field>(
    _ instruction: UnsafeRawPointer, at field: KeyPath<cs_insn, Field>
  ) -> String {
    guard let offset = MemoryLayout<cs_insn>.offset(of: field) else { return "" }
    return String(cString: (instruction + offset).assumingMemoryBound(to: CChar.self))
  }
}

/// Formats the operands of one instruction.
private struct OperandFormatter {
  let handle: csh
  let x86: cs_x86
  let mnemonic: String

  var text: String {
    let operands = withUnsafeBytes(of: x86.operands) { raw in
      Array(raw.bindMemory(to: cs_x86_op.self).prefix(Int(x86.op_count)))
    }
    // A size is only written where no register says it: diStorm looks at the first two operands.
    let hasRegister = operands.prefix(2).contains { $0.type == X86_OP_REG }
    return operands.enumerated().map { index, operand in
      switch operand.type {
      case X86_OP_REG: return register(operand.reg)
      case X86_OP_IMM: return immediate(operand)
      case X86_OP_MEM:
        let sized = index >= 2 || !hasRegister || Self.alwaysSized.contains(mnemonic)
        return memory(operand.mem, size: sized ? operand.size : 0)
      default: return "?"
      }
    }.joined(separator: ", ")
  }

  /// Register operands of these do not say how wide the memory operand is.
  private static let alwaysSized: Set = [
    "movzx", "movsx", "movsxd", "rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar", "shld",
    "shrd", "cvtsi2ss", "cvtsi2sd",
  ]

  private func register(_ register: x86_reg) -> String {
    guard let name = cs_reg_name(handle, register.rawValue) else { return "?" }
    return String(cString: name).uppercased()
  }

  private func immediate(_ operand: cs_x86_op) -> String {
    let value = operand.imm
    if value < 0, x86.encoding.imm_size == 1 { return "-0x" + hexadecimal(value.magnitude) }
    let bits = operand.size == 0 || operand.size >= 8 ? 64 : UInt64(operand.size) * 8
    let mask: UInt64 = bits == 64 ? .max : (1 << bits) - 1
    return "0x" + hexadecimal(UInt64(bitPattern: value) & mask)
  }

  private func memory(_ memory: x86_op_mem, size: UInt8) -> String {
    var text = Self.sizeNames[size].map { "\($0) [" } ?? "["
    if memory.segment != X86_REG_INVALID { text += register(memory.segment) + ":" }
    var parts: [String] = []
    if memory.base != X86_REG_INVALID { parts.append(register(memory.base)) }
    if memory.index != X86_REG_INVALID {
      let scale = memory.scale > 1 ? "*\(memory.scale)" : ""
      parts.append(register(memory.index) + scale)
    }
    text += parts.joined(separator: "+")
    if parts.isEmpty {
      text += "0x" + hexadecimal(UInt64(bitPattern: memory.disp))
    } else if x86.encoding.disp_size != 0 {
      text += (memory.disp < 0 ? "-0x" : "+0x") + hexadecimal(memory.disp.magnitude)
    }
    return text + "]"
  }

  private static let sizeNames: [UInt8: String] = [
    1: "BYTE", 2: "WORD", 4: "DWORD", 8: "QWORD", 10: "TBYTE", 16: "DQWORD", 32: "YWORD",
  ]

  private func hexadecimal(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
}
