// SPDX-License-Identifier: Apache-2.0

/// A branch whose target is written as a distance: what must be rewritten when the instruction moves.
///
/// Read from the bytes themselves: the disassembler is asked for lengths only.
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
  /// The prefixes in front of the opcode.
  let prefixes: [UInt8]

  /// Whether a return address is left behind instead of a jump being made.
  var isCall: Bool { kind == .call }

  /// Reads a branch.
  ///
  /// - Parameters:
  ///   - bytes: exactly one instruction.
  ///   - address: where it stands.
  /// - Returns: nil when the instruction is no relative branch.
  init?(_ bytes: UnsafeRawBufferPointer, at address: UInt) {
    var index = 0
    while index < bytes.count, Self.isPrefix(bytes[index]) { index += 1 }
    let prefixes = Array(bytes[..<index])
    if index < bytes.count, bytes[index] & 0xF0 == 0x40 { index += 1 }
    guard index < bytes.count else { return nil }
    let end = address &+ UInt(bytes.count)

    func near(behind opcode: Int) -> UInt? {
      guard index + opcode + 4 == bytes.count else { return nil }
      let distance = bytes.loadUnaligned(fromByteOffset: index + opcode, as: Int32.self)
      return end &+ UInt(bitPattern: Int(distance))
    }
    func short() -> UInt? {
      guard index + 2 == bytes.count else { return nil }
      return end &+ UInt(bitPattern: Int(Int8(bitPattern: bytes[index + 1])))
    }

    let second = index + 1 < bytes.count ? bytes[index + 1] : 0
    let found: (Kind, UInt?)
    switch bytes[index] {
    case 0xE9: found = (.jump, near(behind: 1))
    case 0xEB: found = (.jump, short())
    case 0xE8: found = (.call, near(behind: 1))
    case 0x70...0x7F: found = (.conditional(bytes[index] & 0x0F), short())
    case 0xE0...0xE3: found = (.short(bytes[index]), short())
    case 0x0F where second & 0xF0 == 0x80: found = (.conditional(second & 0x0F), near(behind: 2))
    case 0xC7 where second == 0xF8: found = (.transaction, near(behind: 2))
    default: return nil
    }
    guard let target = found.1 else { return nil }
    self.kind = found.0
    self.target = target
    self.prefixes = prefixes
  }

  static func isPrefix(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x26, 0x2E, 0x36, 0x3E, 0x64...0x67, 0xF0, 0xF2, 0xF3: true
    default: false
    }
  }
}
