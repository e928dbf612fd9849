// SPDX-License-Identifier: Apache-2.0

/// One decoded instruction.
public struct Instruction: Sendable, Equatable, CustomStringConvertible {
  /// Where it stands, or is said to stand.
  public let address: UInt
  /// Its bytes, here and not in an array: thousands of instructions are decoded for a transaction.
  private let low, high: UInt64
  /// How it is encoded.
  let form: MachineCode

  /// Takes an instruction from the beginning of some bytes.
  init(_ form: MachineCode, _ code: UnsafeRawBufferPointer, at address: UInt) {
    self.address = address
    self.form = form
    var words: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: code[..<form.length]) }
    (low, high) = words
  }

  /// How many bytes it has.
  public var length: Int { form.length }

  /// Its bytes.
  public var bytes: [UInt8] { withBytes { Array($0) } }

  /// Hands over its bytes.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: (low, high)) { body(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
  }

  /// What it does, in upper case, as in `CALL`; `?` for what the disassembler library does not know.
  public var mnemonic: String { InstructionText(of: self).mnemonic }
  /// What it does it with, as in `QWORD [RBP-0x50]`; empty when it has no operands.
  public var operands: String { InstructionText(of: self).operands }

  /// The address behind it.
  public var end: UInt { address &+ UInt(length) }

  /// Mnemonic and operands.
  public var text: String {
    let text = InstructionText(of: self)
    return text.operands.isEmpty ? text.mnemonic : "\(text.mnemonic) \(text.operands)"
  }

  /// The line that Kemon logs: `(02) ffd3 CALL RBX`.
  public var description: String {
    let hexadecimal = bytes.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
    let size = length < 10 ? "0\(length)" : "\(length)"
    return "(\(size)) \(hexadecimal.joined()) \(text)"
  }

  /// How it leaves the straight line, when that depends on where it stands.
  var branch: RelativeBranch? { withBytes { RelativeBranch(form, $0, at: address) } }

  /// Offset in ``bytes`` of a 32-bit displacement that counts from the end of the instruction.
  var ripDisplacementOffset: Int? { form.isRIPRelative ? form.displacementOffset : nil }

  /// The address that the RIP-relative operand means.
  var ripTarget: UInt? {
    guard let offset = ripDisplacementOffset else { return nil }
    let distance = withBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int32.self) }
    return end &+ UInt(bitPattern: Int(distance))
  }
}

extension Array where Element == UInt8 {
  /// Replaces four bytes by a number.
  mutating func store(_ value: Int32, at offset: Int) {
    for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Adds the bytes of an integer, lowest first.
  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
