// SPDX-License-Identifier: Apache-2.0

/// Lengths of instructions that Capstone 4 does not know: AVX-512 and mask operations, some AVX2, protection keys and
/// shadow stacks.
///
/// Enough to walk over them when a function is searched for jumps; none of them is one.
enum UnknownLength {
  /// The length of the first instruction.
  ///
  /// - Returns: nil when it is none of those, or the code ends inside.
  static func of(_ code: UnsafeRawBufferPointer) -> Int? {
    var cursor = Cursor(code: code)
    while let byte = cursor.peek, RelativeBranch.isPrefix(byte) { cursor.offset += 1 }
    let rest = cursor
    guard let first = cursor.next() else { return nil }
    switch first {
    case 0x62:
      guard let payload = cursor.next(), cursor.next() != nil, cursor.next() != nil else {
        return nil
      }
      return cursor.vectorLength(map: payload & 0x07)
    case 0xC5:
      guard cursor.next() != nil else { return nil }
      return cursor.vectorLength(map: 1)
    case 0xC4:
      guard let payload = cursor.next(), cursor.next() != nil else { return nil }
      return cursor.vectorLength(map: payload & 0x1F)
    default:
      cursor = rest
      return cursor.legacyLength()
    }
  }

  private struct Cursor {
    let code: UnsafeRawBufferPointer
    var offset = 0

    var peek: UInt8? { offset < code.count ? code[offset] : nil }

    mutating func next() -> UInt8? {
      guard let byte = peek else { return nil }
      offset += 1
      return byte
    }

    /// Opcode and operands behind a VEX or EVEX prefix.
    mutating func vectorLength(map: UInt8) -> Int? {
      guard let opcode = next() else { return nil }
      // vzeroupper and vzeroall have no operands.
      if map == 1, opcode == 0x77 { return offset }
      guard skipOperands() else { return nil }
      let hasImmediate: Bool
      switch (map, opcode) {
      case (1, 0x70...0x73), (1, 0xC2), (1, 0xC4...0xC6), (3, _): hasImmediate = true
      case (1, _), (2, _), (5, _), (6, _): hasImmediate = false
      default: return nil
      }
      if hasImmediate, next() == nil { return nil }
      return offset
    }

    /// The few two-byte and three-byte opcodes.
    mutating func legacyLength() -> Int? {
      if let byte = peek, byte & 0xF0 == 0x40 { offset += 1 }
      guard next() == 0x0F, let opcode = next() else { return nil }
      switch opcode {
      case 0x01, 0x1E: break
      case 0x38:
        guard let third = next(), third == 0xF5 || third == 0xF6 else { return nil }
      default: return nil
      }
      return skipOperands() ? offset : nil
    }

    /// ModRM, SIB and displacement.
    private mutating func skipOperands() -> Bool {
      guard let modrm = next() else { return false }
      let mode = modrm >> 6
      var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
      if mode != 3, modrm & 7 == 4 {
        guard let sib = next() else { return false }
        if mode == 0, sib & 7 == 5 { displacement = 4 }
      } else if mode == 0, modrm & 7 == 5 {
        displacement = 4
      }
      offset += displacement
      return offset <= code.count
    }
  }
}
