// SPDX-License-Identifier: Apache-2.0

/// The form of one x86-64 instruction: how long it is, and where its parts are.
///
/// Decides lengths for the whole module: it knows every encoding in use, runs in a few nanoseconds and allocates
/// nothing. What an instruction is called is the disassembler library's business.
struct MachineCode: Sendable, Equatable {
  /// Which opcode table the opcode belongs to.
  enum Table: UInt8 { case one, two, three38, three3A, vector, xop }

  // Offsets are small: the whole form fits into two registers.
  private var size: UInt8 = 0
  private(set) var table = Table.one
  private(set) var opcode: UInt8 = 0
  /// The REX byte right before the opcode; 0 without.
  private(set) var rex: UInt8 = 0
  private var opcodePlace: UInt8 = 0
  private var modrmPlace: UInt8 = 0
  private(set) var modrm: UInt8 = 0
  private var displacementPlace: UInt8 = 0
  private var flags: UInt8 = 0

  private static let operandSize: UInt8 = 1
  private static let addressSize: UInt8 = 2
  private static let repeatPrefix: UInt8 = 4
  private static let relative: UInt8 = 8

  var length: Int { Int(size) }
  /// Offset of the opcode behind prefixes, REX and escape bytes.
  var opcodeOffset: Int { Int(opcodePlace) }
  /// Offset of the ModRM byte; nil when there is none.
  var modrmOffset: Int? { modrmPlace == 0 ? nil : Int(modrmPlace) }
  /// Offset of a displacement of a memory operand; its size is 1 or 4.
  var displacementOffset: Int? { displacementPlace == 0 ? nil : Int(displacementPlace) }
  var hasOperandSize: Bool { flags & Self.operandSize != 0 }
  var hasAddressSize: Bool { flags & Self.addressSize != 0 }
  /// Whether it ends with a distance from its end to where it may go on.
  var isRelativeBranch: Bool { flags & Self.relative != 0 }

  /// The longest instruction that processors take.
  static let longest = 15
  /// More bytes than decoding an instruction ever looks at.
  private static let lookahead = 24

  /// Decodes the first instruction of some bytes.
  ///
  /// - Returns: nil when they are no instruction of 64-bit mode, or end inside of one.
  init?(_ code: UnsafeRawBufferPointer) {
    guard let start = code.baseAddress, !code.isEmpty else { return nil }
    let limit = min(code.count, Self.longest)
    let length: Int
    if code.count >= Self.lookahead {
      var cursor = Cursor(code: start)
      length = decode(&cursor) ? cursor.offset : .max
    } else {
      // Near the end: what is behind it is not read.
      length = withUnsafeTemporaryAllocation(byteCount: Self.lookahead, alignment: 1) { copy in
        copy.copyMemory(from: code)
        for index in code.count..<copy.count { copy[index] = 0xCC }
        guard let start = copy.baseAddress else { return .max }
        var cursor = Cursor(code: UnsafeRawPointer(start))
        return decode(&cursor) ? cursor.offset : .max
      }
    }
    guard length <= limit else { return nil }
    size = UInt8(length)
  }

  private struct Cursor {
    /// At least ``lookahead`` bytes; the length is checked in the end.
    let code: UnsafeRawPointer
    var offset = 0

    var peek: UInt8 { code.load(fromByteOffset: offset, as: UInt8.self) }

    mutating func next() -> UInt8 {
      let byte = peek
      offset += 1
      return byte
    }
  }

  // MARK: Prefixes

  @inline(__always)
  private mutating func decode(_ cursor: inout Cursor) -> Bool {
    while true {
      guard cursor.offset < Self.longest else { return false }
      let byte = cursor.peek
      switch byte {
      case 0x66: flags |= Self.operandSize
      case 0x67: flags |= Self.addressSize
      case 0xF2: flags |= Self.repeatPrefix
      case 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0xF0, 0xF3: break
      case 0x40...0x4F:
        // Counts only right before the opcode.
        cursor.offset += 1
        rex = byte
        continue
      default: return decodeOpcode(&cursor)
      }
      rex = 0
      cursor.offset += 1
    }
  }

  @inline(__always)
  private mutating func decodeOpcode(_ cursor: inout Cursor) -> Bool {
    opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
    opcode = cursor.next()
    switch opcode {
    case 0x0F: return decodeTwo(&cursor)
    case 0xC4, 0xC5, 0x62: return decodeVector(&cursor)
    case 0x8F where cursor.peek & 0x1F >= 8: return decodeXOP(&cursor)
    default: return decodeOne(&cursor)
    }
  }

  // MARK: Opcode tables

  /// Bytes of an immediate that follows the operand size.
  private var sized: Int { hasOperandSize && rex & 8 == 0 ? 2 : 4 }

  private mutating func decodeOne(_ cursor: inout Cursor) -> Bool {
    switch opcode {
    case 0x00...0x3F:
      switch opcode & 7 {
      case 0...3: takeOperand(&cursor)
      case 4: cursor.offset += 1
      case 5: cursor.offset += sized
      default: return false
      }
    case 0x50...0x5F, 0x6C...0x6F, 0x90...0x99, 0x9B...0x9F, 0xA4...0xA7, 0xAA...0xAF, 0xC3, 0xC9,
      0xCB, 0xCC, 0xCF, 0xD7, 0xEC...0xEF, 0xF1, 0xF4, 0xF5, 0xF8...0xFD:
      break
    case 0x63, 0x84...0x8F, 0xD0...0xD3, 0xD8...0xDF: takeOperand(&cursor)
    case 0x68, 0xA9: cursor.offset += sized
    case 0x69, 0x81:
      takeOperand(&cursor)
      cursor.offset += sized
    case 0xC7:
      takeOperand(&cursor)
      // xbegin; xabort is C6 F8 with an ordinary imm8.
      if modrm == 0xF8 { flags |= Self.relative }
      cursor.offset += modrm == 0xF8 ? 4 : sized
    case 0x70...0x7F, 0xE0...0xE3, 0xEB:
      flags |= Self.relative
      cursor.offset += 1
    case 0x6A, 0xA8, 0xB0...0xB7, 0xCD, 0xE4...0xE7: cursor.offset += 1
    case 0x6B, 0x80, 0x83, 0xC0, 0xC1, 0xC6:
      takeOperand(&cursor)
      cursor.offset += 1
    case 0xA0...0xA3: cursor.offset += hasAddressSize ? 4 : 8
    case 0xB8...0xBF: cursor.offset += rex & 8 != 0 ? 8 : sized
    case 0xC2, 0xCA: cursor.offset += 2
    case 0xC8: cursor.offset += 3
    case 0xE8, 0xE9:
      // Makers of processors do not agree on what the operand size does to a near branch.
      guard !hasOperandSize || rex & 8 != 0 else { return false }
      flags |= Self.relative
      cursor.offset += 4
    case 0xF6, 0xF7:
      takeOperand(&cursor)
      if modrm & 0x30 == 0 { cursor.offset += opcode == 0xF6 ? 1 : sized }
    case 0xFE, 0xFF:
      takeOperand(&cursor)
      guard modrm & 0x38 < (opcode == 0xFE ? 0x10 : 0x38) else { return false }
    default: return false
    }
    return true
  }

  private mutating func decodeTwo(_ cursor: inout Cursor) -> Bool {
    table = .two
    opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
    opcode = cursor.next()
    switch opcode {
    case 0x38:
      table = .three38
      opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
      opcode = cursor.next()
      takeOperand(&cursor)
    case 0x3A:
      table = .three3A
      opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
      opcode = cursor.next()
      takeOperand(&cursor)
      cursor.offset += 1
    case 0x05...0x09, 0x0B, 0x0E, 0x30...0x35, 0x37, 0x77, 0xA0...0xA2, 0xA8...0xAA, 0xC8...0xCF:
      break
    case 0x80...0x8F:
      guard !hasOperandSize || rex & 8 != 0 else { return false }
      flags |= Self.relative
      cursor.offset += 4
    case 0x0F, 0x70...0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4...0xC6:
      takeOperand(&cursor)
      cursor.offset += 1
    case 0x04, 0x0A, 0x0C, 0x24...0x27, 0x36, 0x39, 0x3B...0x3F, 0x7A, 0x7B: return false
    case 0x78:
      takeOperand(&cursor)
      // extrq and insertq have two immediates, vmread none.
      if hasOperandSize || flags & Self.repeatPrefix != 0 { cursor.offset += 2 }
    default: takeOperand(&cursor)
    }
    return true
  }

  private mutating func decodeVector(_ cursor: inout Cursor) -> Bool {
    table = .vector
    let map: UInt8
    switch opcode {
    case 0xC5:
      map = 1
      cursor.offset += 1
    case 0xC4:
      map = cursor.next() & 0x1F
      cursor.offset += 1
    default:
      let first = cursor.next()
      // Bit 3 belongs to APX; the constant bit of the second byte too when it is clear.
      guard first & 0x08 == 0, cursor.peek & 0x04 != 0 else { return false }
      map = first & 0x07
      cursor.offset += 2
    }
    let isEVEX = opcode == 0x62
    opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
    opcode = cursor.next()
    // vzeroupper and vzeroall have no operands.
    if map == 1, opcode == 0x77, !isEVEX { return true }
    takeOperand(&cursor)
    switch (map, opcode) {
    case (1, 0x70...0x73), (1, 0xC2), (1, 0xC4...0xC6), (3, _): cursor.offset += 1
    case (1, _), (2, _): break
    case (5, _), (6, _): return isEVEX
    default: return false
    }
    return true
  }

  private mutating func decodeXOP(_ cursor: inout Cursor) -> Bool {
    table = .xop
    let map = cursor.next() & 0x1F
    cursor.offset += 1
    opcodePlace = UInt8(truncatingIfNeeded: cursor.offset)
    opcode = cursor.next()
    takeOperand(&cursor)
    switch map {
    case 8: cursor.offset += 1
    case 9: break
    case 10: cursor.offset += 4
    default: return false
    }
    return true
  }

  /// ModRM, SIB and displacement.
  @inline(__always)
  private mutating func takeOperand(_ cursor: inout Cursor) {
    modrmPlace = UInt8(truncatingIfNeeded: cursor.offset)
    modrm = cursor.next()
    let mode = modrm >> 6
    guard mode != 3 else { return }
    var size = mode == 1 ? 1 : mode == 2 ? 4 : 0
    if modrm & 7 == 4 {
      let base = cursor.next() & 7
      if mode == 0, base == 5 { size = 4 }
    } else if mode == 0, modrm & 7 == 5 {
      size = 4
    }
    guard size != 0 else { return }
    displacementPlace = UInt8(truncatingIfNeeded: cursor.offset)
    cursor.offset += size
  }
}

extension MachineCode {
  /// Whether the memory operand counts from the end of the instruction.
  var isRIPRelative: Bool { modrmOffset != nil && modrm & 0xC7 == 0x05 }

  /// Whether nothing runs behind it: a jump without condition, a return, or what always traps.
  var endsFlow: Bool {
    switch (table, opcode) {
    case (.one, 0xE9), (.one, 0xEB), (.one, 0xC2), (.one, 0xC3), (.one, 0xCA), (.one, 0xCB),
      (.one, 0xCF), (.one, 0xF4), (.two, 0x0B):
      true
    case (.one, 0xFF): modrm & 0x30 == 0x20
    default: false
    }
  }

  /// Whether it jumps to where a register or memory says.
  var isIndirectJump: Bool { table == .one && opcode == 0xFF && modrm & 0x30 == 0x20 }

  /// Whether it leaves a return address behind.
  var isCall: Bool {
    table == .one && (opcode == 0xE8 || (opcode == 0xFF && modrm & 0x30 == 0x10))
  }

  /// Whether it does nothing: `nop` in all lengths.
  func isNothing(_ code: UnsafeRawBufferPointer) -> Bool {
    switch (table, opcode) {
    case (.one, 0x90): rex & 1 == 0 && !code[..<opcodeOffset].contains(0xF3)
    case (.two, 0x1F): true
    default: false
    }
  }
}
