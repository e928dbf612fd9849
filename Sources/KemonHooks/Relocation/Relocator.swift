// SPDX-License-Identifier: Apache-2.0

/// Code that has been written anew for another place.
struct RelocatedCode: Equatable {
  /// The instructions, a jump to where they go on, and the addresses that they read.
  var bytes: [UInt8] = []
  /// Offset in ``bytes`` of each instruction.
  var offsets: [Int] = []
}

/// Writes instructions anew for another place, so that they do there what they did before.
///
/// Branches between the moved instructions stay between them; all others lead to where they led.
struct Relocator {
  /// Consecutive.
  let instructions: [Instruction]
  /// Where they go on: the first byte behind them, padding included.
  let resume: UInt
  /// Whether a call at the end leaves the program's own return address behind, so that it returns to the old place.
  ///
  /// Not for copies of whole functions, which must not go back.
  var returnsToOldPlace = true

  private static let callSize = 5
  /// `push [rip + literal]`.
  private static let pushSize = 6

  /// Moves the instructions.
  ///
  /// - Parameter destination: where the result will stand.
  /// - Throws: ``HookError/Code-swift.enum/branchIntoWindow`` when a branch leads between the bytes of a moved
  ///   instruction, `positionDependent` or `outOfReach`.
  func relocate(to destination: UInt) throws(HookError) -> RelocatedCode {
    var result = RelocatedCode()
    var offset = 0
    for instruction in instructions {
      result.offsets.append(offset)
      offset += size(of: instruction)
    }
    let endsFlow = instructions.last?.form.endsFlow ?? false
    let literalsOffset = (offset + (endsFlow ? 0 : Self.callSize) + 7) & ~7
    var writer = Writer(
      destination: destination, literals: destination &+ UInt(literalsOffset), code: self,
      offsets: result.offsets)
    for instruction in instructions { try writer.write(instruction) }
    if !endsFlow { try writer.jump([0xE9], to: resume, for: resume) }
    result.bytes = writer.finish(literalsAt: literalsOffset)
    return result
  }

  private enum Form {
    case copy, branch
    /// A call that only reads its own address.
    case pushAddress
    /// A call whose return address is pushed and that is made by a jump.
    case pushAndJump, pushAndJumpIndirect
  }

  private func form(of instruction: Instruction) -> Form {
    let isLast = returnsToOldPlace && instruction.end == resume
    guard let branch = instruction.branch else {
      return isLast && canJumpInstead(of: instruction) ? .pushAndJumpIndirect : .copy
    }
    guard branch.isCall else { return .branch }
    if branch.target == instruction.end { return .pushAddress }
    return isLast ? .pushAndJump : .branch
  }

  /// An indirect call whose target does not depend on the stack pointer, which the pushed address changes.
  private func canJumpInstead(of instruction: Instruction) -> Bool {
    let form = instruction.form
    guard form.isCall, let modrmOffset = form.modrmOffset else { return false }
    if form.modrm >> 6 == 3 { return form.modrm & 7 != 4 || form.rex & 1 != 0 }
    guard form.modrm & 7 == 4 else { return true }
    return instruction.bytes[modrmOffset + 1] & 7 != 4 || form.rex & 1 != 0
  }

  private func size(of instruction: Instruction) -> Int {
    switch form(of: instruction) {
    case .copy: return instruction.length
    case .pushAddress: return Self.pushSize
    case .pushAndJump: return Self.pushSize + Self.callSize
    case .pushAndJumpIndirect: return Self.pushSize + instruction.length
    case .branch:
      switch instruction.branch?.kind {
      case .conditional, .transaction: return 6
      case .short: return instruction.form.hasAddressSize ? 10 : 9
      default: return Self.callSize
      }
    }
  }

  /// The instructions being written.
  private struct Writer {
    let destination: UInt
    let literals: UInt
    let code: Relocator
    let offsets: [Int]
    private var bytes: [UInt8] = []
    private var words: [UInt] = []

    init(destination: UInt, literals: UInt, code: Relocator, offsets: [Int]) {
      self.destination = destination
      self.literals = literals
      self.code = code
      self.offsets = offsets
    }

    private var place: UInt { destination &+ UInt(bytes.count) }

    mutating func write(_ instruction: Instruction) throws(HookError) {
      switch code.form(of: instruction) {
      case .copy: try copy(instruction)
      case .branch:
        guard let branch = instruction.branch else { return }
        try write(branch, of: instruction)
      case .pushAddress: try push(instruction.end)
      case .pushAndJump:
        guard let branch = instruction.branch else { return }
        try push(instruction.end)
        try jump([0xE9], to: try newTarget(of: branch, instruction), for: instruction.address)
      case .pushAndJumpIndirect:
        try push(instruction.end)
        let modrmIndex = bytes.count + (instruction.form.modrmOffset ?? 0)
        try copy(instruction)
        // call r/m is /2, jmp r/m is /4.
        bytes[modrmIndex] = bytes[modrmIndex] & 0b1100_0111 | 0b0010_0000
      }
    }

    private mutating func copy(_ instruction: Instruction) throws(HookError) {
      let start = bytes.count
      bytes += instruction.bytes
      guard let offset = instruction.ripDisplacementOffset, let target = instruction.ripTarget
      else { return }
      bytes.store(try distance(to: target, for: instruction.address), at: start + offset)
    }

    private mutating func write(
      _ branch: RelativeBranch, of instruction: Instruction
    ) throws(HookError) {
      let opcode: [UInt8] =
        switch branch.kind {
        case .jump: [0xE9]
        case .call: [0xE8]
        case .conditional(let condition): [0x0F, 0x80 | condition]
        case .transaction: [0xC7, 0xF8]
        case .short(let opcode):
          // Over a short jump to the long one; 67 chooses ecx.
          (instruction.form.hasAddressSize ? [0x67] : []) + [opcode, 2, 0xEB, 5, 0xE9]
        }
      try jump(opcode, to: try newTarget(of: branch, instruction), for: instruction.address)
    }

    /// Where a branch leads after the move.
    private func newTarget(
      of branch: RelativeBranch, _ instruction: Instruction
    ) throws(HookError) -> UInt {
      guard let first = code.instructions.first, let last = code.instructions.last,
        (first.address..<last.end).contains(branch.target)
      else { return branch.target }
      // A call of the beginning is an ordinary recursive call, and is seen by the hook.
      if branch.isCall, branch.target == first.address { return branch.target }
      guard let index = code.instructions.firstIndex(where: { $0.address == branch.target }) else {
        throw HookError(
          .branchIntoWindow, at: instruction.address,
          "\(instruction.text) leads between the bytes of an instruction")
      }
      return destination &+ UInt(offsets[index])
    }

    private mutating func push(_ address: UInt) throws(HookError) {
      words.append(address)
      try jump([0xFF, 0x35], to: literals &+ UInt(8 * (words.count - 1)), for: address)
    }

    /// An opcode and the distance to what it means.
    mutating func jump(
      _ opcode: [UInt8], to target: UInt, for source: UInt
    ) throws(HookError) {
      bytes += opcode
      bytes.append(littleEndian: Int32(0))
      bytes.store(try distance(to: target, for: source), at: bytes.count - 4)
    }

    /// From the end of what has been written.
    private func distance(to target: UInt, for source: UInt) throws(HookError) -> Int32 {
      guard let distance = Int32(exactly: Int(bitPattern: target &- place)) else {
        throw HookError(
          .outOfReach, at: source,
          "0x\(String(target, radix: 16)) can not be reached from "
            + "0x\(String(place, radix: 16)): more than 2 GiB away")
      }
      return distance
    }

    mutating func finish(literalsAt offset: Int) -> [UInt8] {
      guard !words.isEmpty else { return bytes }
      bytes += repeatElement(0xCC, count: offset - bytes.count)
      for word in words { bytes.append(littleEndian: word) }
      return bytes
    }
  }
}
