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
    let bytes = call.bytes
    let prefixCount = bytes.prefix { RelativeBranch.isPrefix($0) }.count
    // 3e (notrack) means nothing once the target is loaded by a mov.
    let prefixes = bytes.prefix(prefixCount).filter { $0 != 0x3E }
    let rex = bytes.dropFirst(prefixCount).first.flatMap { $0 & 0xF0 == 0x40 ? $0 : nil }
    let code = bytes.dropFirst(prefixCount + (rex == nil ? 0 : 1))
    let isIndirect =
      code.count > 1 && code.first == 0xFF && code.dropFirst().first.map { $0 & 0x38 } == 0x10
    let isDirect = call.isDirectCall
    guard isIndirect || isDirect, prefixes.allSatisfy({ $0 == 0x64 || $0 == 0x65 }) else {
      throw HookError(
        .notACall, at: call.address,
        "\(call.description) stands there; needed is a near call without operand size prefix")
    }
    self.init(
      call: call, prefixes: prefixes, rex: rex ?? 0, operand: isIndirect ? code.dropFirst() : [])
  }

  private init(call: Instruction, prefixes: [UInt8], rex: UInt8, operand: ArraySlice<UInt8>) {
    self.call = call
    self.prefixes = prefixes
    self.rex = rex
    self.operand = operand
  }

  /// The instruction that loads the target into r11.
  ///
  /// - Parameter end: the address behind it, from which a RIP-relative operand counts.
  func loadIntoR11(endingAt end: UInt) throws(HookError) -> [UInt8] {
    guard let modrm = operand.first else {
      var bytes: [UInt8] = [0x49, 0xBB]  // mov r11, imm64
      bytes.append(littleEndian: call.branch?.target ?? 0)
      return bytes
    }
    // REX.W, REX.R for r11, X and B as they were; 8b = mov r, r/m; reg = 011.
    var bytes = prefixes + [0x4C | (rex & 0b011), 0x8B, (modrm & 0b1100_0111) | 0b0001_1000]
    bytes += operand.dropFirst()
    if let target = call.ripTarget {
      guard let distance = Int32(exactly: Int(bitPattern: target &- end)) else {
        throw HookError(
          .outOfReach, at: call.address, "\(call.text): the pointer is more than 2 GiB away")
      }
      bytes.store(distance, at: bytes.count - 4)
    }
    return bytes
  }
}

extension Instruction {
  /// Whether this is `call rel32` to elsewhere; a call to the next instruction only asks where it is.
  fileprivate var isDirectCall: Bool {
    guard let branch else { return false }
    return branch.isCall && branch.target != end
  }
}
