// SPDX-License-Identifier: Apache-2.0

/// What a near call calls.
struct CallTarget {
  private let call: Instruction
  /// Bytes in front of REX and opcode that stay: a segment.
  private let prefixes: [UInt8]
  private let rex: UInt8
  /// The ModRM byte and what belongs to it; empty for a direct call.
  private let operand: ArraySlice<UInt8>

  /// Reads a call.
  ///
  /// - Throws: ``HookError/Code-swift.enum/notACall`` for anything else than `call rel32` and `call r/m64`.
  init(_ call: Instruction) throws(HookError) {
    self.call = call
    var index = 0
    while index < call.bytes.count, RelativeBranch.isPrefix(call.bytes[index]) { index += 1 }
    // 3e (notrack) means nothing once the target is loaded by a mov.
    prefixes = call.bytes[..<index].filter { $0 != 0x3E }
    let hasREX = index < call.bytes.count && call.bytes[index] & 0xF0 == 0x40
    rex = hasREX ? call.bytes[index] : 0
    if hasREX { index += 1 }
    let isIndirect =
      index + 1 < call.bytes.count && call.bytes[index] == 0xFF
      && call.bytes[index + 1] & 0x38 == 0x10
    let isDirect = call.branch?.isCall == true && call.branch?.target != call.end
    guard isIndirect || isDirect, prefixes.allSatisfy({ $0 == 0x64 || $0 == 0x65 }) else {
      throw HookError(
        .notACall, at: call.address,
        "\(call.description) stands there; needed is a near call without operand size prefix")
    }
    operand = isIndirect ? call.bytes[(index + 1)...] : []
  }

  /// The instruction that loads the target into r11, and where in it a RIP-relative displacement is.
  func loadIntoR11() -> (bytes: [UInt8], ripDisplacementOffset: Int?) {
    guard let modrm = operand.first else {
      var bytes: [UInt8] = [0x49, 0xBB]  // mov r11, imm64
      bytes.append(littleEndian: call.branch?.target ?? 0)
      return (bytes, nil)
    }
    // REX.W, REX.R for r11, X and B as they were; 8b = mov r, r/m; reg = 011.
    var bytes = prefixes + [0x4C | (rex & 0b011), 0x8B, (modrm & 0b1100_0111) | 0b0001_1000]
    bytes += operand.dropFirst()
    return (bytes, call.ripDisplacementOffset == nil ? nil : bytes.count - 4)
  }
}
