// SPDX-License-Identifier: Apache-2.0

/// Reads x86-64 machine code.
public struct Disassembler: Sendable {
  /// Makes a reader.
  public init() {}

  /// Decodes the first instruction of some bytes.
  ///
  /// - Parameters:
  ///   - code: may hold more than one instruction.
  ///   - address: where the bytes stand.
  /// - Throws: ``HookError/Code-swift.enum/undecodable``.
  public func instruction(
    in code: UnsafeRawBufferPointer, at address: UInt
  ) throws(HookError) -> Instruction {
    guard let form = MachineCode(code) else { throw Self.refusal(of: code, at: address) }
    if form.isRIPRelative, form.hasAddressSize {
      throw HookError(
        .undecodable, at: address, "an operand relative to the lower half of the address")
    }
    return Instruction(form, code, at: address)
  }

  /// Decodes whole instructions until they cover a number of bytes.
  ///
  /// - Throws: ``HookError/Code-swift.enum/tooShort`` when the code ends before that.
  public func instructions(
    in code: UnsafeRawBufferPointer, at address: UInt, covering count: Int
  ) throws(HookError) -> [Instruction] {
    let found = try instructions(in: code, at: address, upTo: count)
    let size = found.reduce(0) { $0 + $1.length }
    guard size >= count else {
      throw HookError(
        .tooShort, at: address, "\(code.count) bytes of code, a hook needs \(count)")
    }
    return found
  }

  /// Decodes whole instructions until they cover a number of bytes or the code ends.
  func instructions(
    in code: UnsafeRawBufferPointer, at address: UInt, upTo count: Int
  ) throws(HookError) -> [Instruction] {
    var found: [Instruction] = []
    var offset = 0
    while offset < min(count, code.count) {
      let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
      let next = try instruction(in: rest, at: address &+ UInt(offset))
      found.append(next)
      offset += next.length
    }
    return found
  }

  /// Goes through code from end to end and hands over what stands where; keeps nothing.
  ///
  /// - Parameter body: gets the offset and the form of each instruction, and the code from there; returns false to stop.
  func walk(
    _ code: UnsafeRawBufferPointer, at address: UInt,
    _ body: (_ offset: Int, _ form: MachineCode, _ bytes: UnsafeRawBufferPointer) -> Bool
  ) throws(HookError) {
    var offset = 0
    while offset < code.count {
      let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
      guard let form = MachineCode(rest) else {
        throw Self.refusal(of: rest, at: address &+ UInt(offset))
      }
      guard body(offset, form, rest) else { return }
      offset += form.length
    }
  }

  private static func refusal(of code: UnsafeRawBufferPointer, at address: UInt) -> HookError {
    let bytes = code.prefix(MachineCode.longest).map { String($0, radix: 16) }
    return HookError(
      .undecodable, at: address,
      "no instruction that is known here: \(bytes.joined(separator: " "))")
  }
}
