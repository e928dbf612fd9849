// SPDX-License-Identifier: Apache-2.0

/// A branch whose target is written as a distance: what must be rewritten when the instruction moves.
struct RelativeBranch: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    /// `jmp`.
    case jump
    /// `jcc`, with its condition code 0...15.
    case conditional(UInt8)
    /// `call`.
    case call
    /// `loopne`, `loope`, `loop` or `jrcxz` (E0...E3): there is no long form.
    case short(UInt8)
    /// `xbegin`: the target is where an aborted transaction goes on.
    case transaction
  }

  let kind: Kind
  let target: UInt

  /// Whether a return address is left behind instead of a jump being made.
  var isCall: Bool { kind == .call }

  /// Reads a branch.
  ///
  /// - Parameters:
  ///   - form: what the bytes are.
  ///   - bytes: begin with the instruction.
  ///   - address: where it stands.
  /// - Returns: nil when the instruction is no relative branch.
  init?(_ form: MachineCode, _ bytes: UnsafeRawBufferPointer, at address: UInt) {
    guard form.isRelativeBranch else { return nil }
    let isNear: Bool
    switch (form.table, form.opcode) {
    case (.one, 0xE9): (kind, isNear) = (.jump, true)
    case (.one, 0xEB): (kind, isNear) = (.jump, false)
    case (.one, 0xE8): (kind, isNear) = (.call, true)
    case (.one, 0x70...0x7F): (kind, isNear) = (.conditional(form.opcode & 0x0F), false)
    case (.one, 0xE0...0xE3): (kind, isNear) = (.short(form.opcode), false)
    case (.two, 0x80...0x8F): (kind, isNear) = (.conditional(form.opcode & 0x0F), true)
    case (.one, 0xC7) where form.modrm == 0xF8: (kind, isNear) = (.transaction, true)
    default: return nil
    }
    let distance =
      isNear
      ? Int(bytes.loadUnaligned(fromByteOffset: form.length - 4, as: Int32.self))
      : Int(bytes.loadUnaligned(fromByteOffset: form.length - 1, as: Int8.self))
    target = address &+ UInt(form.length) &+ UInt(bitPattern: distance)
  }

  static func isPrefix(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x26, 0x2E, 0x36, 0x3E, 0x64...0x67, 0xF0, 0xF2, 0xF3: true
    default: false
    }
  }
}
