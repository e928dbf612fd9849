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

  /// Takes the instructions at an address of a function and checks that no jump leads between them.
  ///
  /// - Parameters:
  ///   - address: the first instruction.
  ///   - function: its code as it was before any hook, and where it stands.
  ///   - neighbours: other functions to search for jumps into this one.
  init(
    at address: UInt, of function: FunctionCode, neighbours: [FunctionCode],
    with disassembler: Disassembler
  ) throws(HookError) {
    instructions = try function.decode(from: address) { code throws(HookError) in
      try disassembler.instructions(in: code, at: address, covering: Self.jumpSize)
    }
    let found = try search(function, with: disassembler)
    if let branch = found.branch { throw refusal(of: branch, at: found.place) }
    guard found.meetsStart else {
      throw HookError(
        .undecodable, at: start,
        "not the beginning of an instruction of the function at "
          + "0x\(String(function.start, radix: 16))")
    }
    for neighbour in neighbours {
      // What is next to a function need not be code: then nothing is known of it.
      guard let found = try? search(neighbour, with: disassembler), let branch = found.branch
      else { continue }
      throw refusal(of: branch, at: found.place)
    }
  }

  private func refusal(of branch: RelativeBranch, at place: UInt) -> HookError {
    HookError(
      .branchIntoWindow, at: place,
      "leads to 0x\(String(branch.target, radix: 16)), inside the "
        + "\(range.count) bytes at 0x\(String(start, radix: 16)) that the hook replaces")
  }

  /// Looks through a function from its beginning for a jump that leads into the window.
  ///
  /// Code of the same function that the compiler has moved elsewhere (`.cold` parts) is not seen.
  private func search(
    _ function: FunctionCode, with disassembler: Disassembler
  ) throws(HookError) -> (branch: RelativeBranch?, place: UInt, meetsStart: Bool) {
    let range = self.range
    // The first instruction of a call site may be jumped to: the jump to the stub then stands there. At the beginning
    // of a function that would be a loop, which must not look like another call; from outside it is a call.
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
    return (offender, place, meetsStart)
  }
}
