// SPDX-License-Identifier: Apache-2.0

/// What a near call calls.
struct CallTarget {
  private let call: Instruction
  /// Bytes in front of REX and opcode that stay: a segment.
  private let prefixes: [UInt8]
  private let rex: UInt8
  /// The ModRM byte and what belongs to it; empty for a direct call.
  private let operand: [UInt8]
  /// The target of a direct call.
  private let target: UInt?

  /// Reads a call.
  ///
  /// - Throws: ``HookError/Code-swift.enum/notACall`` for anything else than `call rel32` and `call r/m64`.
  init(_ call: Instruction) throws(HookError) {
    let bytes = call.bytes
    var index = 0
    while index < bytes.count, RelativeBranch.isPrefix(bytes[index]) { index += 1 }
    // notrack, bnd and segments that 64-bit code has not: they mean nothing once the target is loaded by a mov.
    var prefixes = bytes[..<index].filter { ![0x26, 0x2E, 0x36, 0x3E, 0xF2].contains($0) }
    var rex: UInt8 = 0
    if index < bytes.count, bytes[index] & 0xF0 == 0x40 {
      rex = bytes[index]
      index += 1
    }
    let isIndirect =
      index + 1 < bytes.count && bytes[index] == 0xFF && bytes[index + 1] & 0x38 == 0x10
    let target = Self.target(of: call)
    // 67 e8 is what linkers make of a call through the GOT.
    if target != nil { prefixes.removeAll { $0 == 0x67 } }
    guard isIndirect || target != nil, prefixes.allSatisfy({ $0 == 0x64 || $0 == 0x65 }) else {
      throw HookError(
        .notACall, at: call.address,
        "\(call.description) stands there; needed is a near call without operand size prefix")
    }
    self.call = call
    self.prefixes = prefixes
    self.rex = rex
    self.operand = isIndirect ? Array(bytes[(index + 1)...]) : []
    self.target = target
  }

  /// Where a direct call goes; a call of the next instruction only reads its own address.
  private static func target(of call: Instruction) -> UInt? {
    guard let branch = call.branch, branch.isCall, branch.target != call.end else { return nil }
    return branch.target
  }

  /// The instruction that loads the target into r11.
  ///
  /// - Parameter end: the address behind it, from which a RIP-relative operand counts.
  func loadIntoR11(endingAt end: UInt) throws(HookError) -> [UInt8] {
    if let target {
      var bytes: [UInt8] = [0x49, 0xBB]  // mov r11, imm64
      bytes.append(littleEndian: target)
      return bytes
    }
    // REX.W, REX.R for r11, X and B as they were; 8b = mov r, r/m; reg = 011.
    var bytes = prefixes
    bytes += [0x4C | (rex & 0b011), 0x8B, (operand[0] & 0b1100_0111) | 0b0001_1000]
    bytes += operand.dropFirst()
    if let pointer = call.ripTarget {
      guard let distance = Int32(exactly: Int(bitPattern: pointer &- end)) else {
        throw HookError(
          .outOfReach, at: call.address, "\(call.text): the pointer is more than 2 GiB away")
      }
      bytes.store(distance, at: bytes.count - 4)
    }
    return bytes
  }
}
