// SPDX-License-Identifier: Apache-2.0

/// The whole instructions that a five-byte jump takes the place of.
struct PatchWindow: Equatable {
  /// Bytes of `jmp rel32`.
  static let jumpSize = 5

  let instructions: [Instruction]

  var start: UInt { instructions[0].address }
  var end: UInt { instructions[instructions.count - 1].end }
  var range: Range<UInt> { start..<end }
  var bytes: [UInt8] { instructions.flatMap(\.bytes) }

  /// The bytes that are really changed.
  var patched: Range<UInt> { start..<(start &+ UInt(Self.jumpSize)) }

  /// Takes the instructions at an address of a function and checks that no jump of it leads between them.
  ///
  /// - Parameters:
  ///   - address: the first instruction.
  ///   - function: its code as it was before any hook, and where it stands.
  init(
    at address: UInt, of function: FunctionCode, with disassembler: Disassembler
  ) throws(HookError) {
    instructions = try function.decode(from: address) { code throws(HookError) in
      try disassembler.instructions(in: code, at: address, covering: Self.jumpSize)
    }
    try refuseBranches(of: function, with: disassembler)
  }

  /// Looks through the function from its beginning for jumps that lead into the window.
  ///
  /// Code of the same function that the compiler has moved elsewhere (`.cold` parts) is not seen.
  private func refuseBranches(
    of function: FunctionCode, with disassembler: Disassembler
  ) throws(HookError) {
    let range = self.range
    // The first instruction of a call site may be jumped to: the jump to the stub then stands there. At the beginning
    // of a function that would be a loop, which must not look like another call.
    let isEntry = start == function.entry
    var offender: RelativeBranch?
    var place: UInt = 0
    var meetsStart = false
    let base = function.start
    try function.decode(from: base) { code throws(HookError) in
      try disassembler.walk(code, at: base) { offset, bytes in
        let address = base &+ UInt(offset)
        meetsStart = meetsStart || address == range.lowerBound
        guard let branch = RelativeBranch(bytes, at: address), range.contains(branch.target),
          branch.target != range.lowerBound || (isEntry && !branch.isCall)
        else { return true }
        offender = branch
        place = address
        return false
      }
    }
    if let offender {
      throw HookError(
        .branchIntoWindow, at: place,
        "leads to 0x\(String(offender.target, radix: 16)), inside the "
          + "\(range.count) bytes at 0x\(String(range.lowerBound, radix: 16)) that the hook replaces"
      )
    }
    guard meetsStart else {
      throw HookError(
        .undecodable, at: range.lowerBound,
        "not the beginning of an instruction of the function at 0x\(String(base, radix: 16))")
    }
  }
}
