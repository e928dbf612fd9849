// SPDX-License-Identifier: Apache-2.0

/// Writes instructions anew for another place, so that they do there what they did before.
struct Relocator {
  /// The bytes that the moved instructions leave; no branch of theirs may lead between them.
  let window: Range<UInt>

  /// Moves instructions.
  ///
  /// - Parameters:
  ///   - instructions: consecutive, inside the window.
  ///   - destination: where the result will stand.
  /// - Throws: ``HookError/Code-swift.enum/positionDependent``, `branchIntoWindow` or `outOfReach`.
  func relocate(
    _ instructions: [Instruction], to destination: UInt
  ) throws(HookError) -> [UInt8] {
    var code: [UInt8] = []
    for instruction in instructions {
      let place = destination &+ UInt(code.count)
      if let branch = instruction.branch {
        code += try rewrite(branch, of: instruction, at: place)
      } else if let offset = instruction.ripDisplacementOffset, let target = instruction.ripTarget {
        var bytes = instruction.bytes
        let end = place &+ UInt(bytes.count)
        bytes.store(try distance(from: end, to: target, of: instruction), at: offset)
        code += bytes
      } else {
        code += instruction.bytes
      }
    }
    return code
  }

  private func rewrite(
    _ branch: RelativeBranch, of instruction: Instruction, at place: UInt
  ) throws(HookError) -> [UInt8] {
    // Calling the beginning anew is an ordinary recursive call; everything else that leads here is not.
    let leadsHere = window.contains(branch.target)
    if leadsHere, !(branch.isCall && branch.target == window.lowerBound) {
      throw HookError(
        .branchIntoWindow, at: instruction.address,
        "\(instruction.text) leads between the bytes that the hook replaces")
    }
    if branch.isCall, branch.target == instruction.end {
      throw HookError(
        .positionDependent, at: instruction.address,
        "\(instruction.text) reads its own address, which it would not have elsewhere")
    }
    var code: [UInt8]
    switch branch.kind {
    case .jump: code = [0xE9]
    case .call: code = [0xE8]
    case .conditional(let condition): code = [0x0F, 0x80 | condition]
    case .short(let opcode):
      // Over a short jump to the long one; 67 chooses ecx.
      code = branch.prefixes.filter { $0 == 0x67 } + [opcode, 2, 0xEB, 5, 0xE9]
    case .transaction:
      throw HookError(
        .positionDependent, at: instruction.address,
        "\(instruction.text) begins a transaction; it can not be moved")
    }
    let end = place &+ UInt(code.count + 4)
    code.append(littleEndian: try distance(from: end, to: branch.target, of: instruction))
    return code
  }

  private func distance(
    from end: UInt, to target: UInt, of instruction: Instruction
  ) throws(HookError) -> Int32 {
    guard let distance = Int32(exactly: Int(bitPattern: target &- end)) else {
      throw HookError(
        .outOfReach, at: instruction.address,
        "\(instruction.text) means 0x\(String(target, radix: 16)), which can not be reached from "
          + "0x\(String(end, radix: 16)): more than 2 GiB away")
    }
    return distance
  }
}
