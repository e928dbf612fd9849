// SPDX-License-Identifier: Apache-2.0

/// One decoded instruction.
public struct Instruction: Sendable, Equatable, CustomStringConvertible {
  /// Where it stands, or is said to stand.
  public let address: UInt
  /// Its bytes.
  public let bytes: [UInt8]

  /// How it is encoded.
  let form: MachineCode
  /// How it leaves the straight line, when that depends on where it stands.
  let branch: RelativeBranch?

  /// Takes an instruction from the beginning of some bytes.
  init(_ form: MachineCode, _ code: UnsafeRawBufferPointer, at address: UInt) {
    self.address = address
    self.form = form
    bytes = Array(code[..<form.length])
    branch = RelativeBranch(form, code, at: address)
  }

  /// What it does, in upper case, as in `CALL`; `?` for what the disassembler library does not know.
  public var mnemonic: String { InstructionText(of: self).mnemonic }
  /// What it does it with, as in `QWORD [RBP-0x50]`; empty when it has no operands.
  public var operands: String { InstructionText(of: self).operands }

  /// The address behind it.
  public var end: UInt { address &+ UInt(bytes.count) }

  /// Mnemonic and operands.
  public var text: String {
    let text = InstructionText(of: self)
    return text.operands.isEmpty ? text.mnemonic : "\(text.mnemonic) \(text.operands)"
  }

  /// The line that Kemon logs: `(02) ffd3 CALL RBX`.
  public var description: String {
    let hexadecimal = bytes.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
    let size = bytes.count < 10 ? "0\(bytes.count)" : "\(bytes.count)"
    return "(\(size)) \(hexadecimal.joined()) \(text)"
  }

  /// Offset in ``bytes`` of a 32-bit displacement that counts from the end of the instruction.
  var ripDisplacementOffset: Int? { form.isRIPRelative ? form.displacementOffset : nil }

  /// The address that the RIP-relative operand means.
  var ripTarget: UInt? {
    guard let offset = ripDisplacementOffset else { return nil }
    return end &+ UInt(bitPattern: Int(bytes.littleEndianInt32(at: offset)))
  }
}

extension Array where Element == UInt8 {
  /// A 32-bit number inside the bytes.
  func littleEndianInt32(at offset: Int) -> Int32 {
    Int32(
      bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) })
  }

  /// Replaces four bytes by a number.
  mutating func store(_ value: Int32, at offset: Int) {
    for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Adds the bytes of an integer, lowest first.
  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
