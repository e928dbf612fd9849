// SPDX-License-Identifier: Apache-2.0

/// The whole instructions that a hook takes the place of.
struct PatchWindow: Equatable {
  /// Bytes of `jmp rel32`.
  static let jumpSize = 5

  /// What is written there.
  enum Patch: Equatable {
    /// `jmp rel32`.
    case jump
    /// `jmp rel8` to a `jmp rel32` in the padding between two functions.
    case shortJump(Cave)
    /// `int3`.
    case trap

    /// Bytes that are changed at the place itself.
    var size: Int {
      switch self {
      case .jump: PatchWindow.jumpSize
      case .shortJump: 2
      case .trap: 1
      }
    }
  }

  let tier: HookTier
  let patch: Patch
  /// What is moved: the instructions under the patch, or all to the end of the function.
  let instructions: [Instruction]
  /// The bytes under the patch.
  let original: [UInt8]
  /// Where the moved instructions go on.
  let end: UInt

  var start: UInt { instructions[0].address }
  var range: Range<UInt> { start..<end }
  /// The bytes that are really changed, apart from those of a cave.
  var patched: Range<UInt> { start..<(start &+ UInt(original.count)) }

  /// The instructions that begin under the patch.
  var replaced: [Instruction] { instructions.filter { patched.contains($0.address) } }

  /// Whether a thread can be stopped at an instruction that is replaced or left behind.
  var needsStop: Bool { instructions.count > 1 }

  /// The padding that is used elsewhere.
  var cave: Cave? {
    guard case .shortJump(let cave) = patch else { return nil }
    return cave
  }

  /// The call that makes stopping the other threads not enough, or nil.
  ///
  /// Calls that are under way would return to what is replaced or left behind.
  var returnsInside: Instruction? {
    instructions.first { instruction in
      guard instruction.form.isCall else { return false }
      // A jump back to the window may follow anywhere in a function that is copied.
      return tier == .copy
        || (instruction.end < patched.upperBound && instruction.end > patched.lowerBound)
    }
  }

  /// Where the first instruction jumps to, whatever happens.
  var jumpTarget: UInt? {
    guard let branch = instructions[0].branch, branch.kind == .jump else { return nil }
    return branch.target
  }

  /// Takes whole instructions of which the first bytes are changed.
  ///
  /// - Parameters:
  ///   - padding: what stands behind the last instruction where that does not go on: it is changed, too.
  init(
    _ tier: HookTier, _ patch: Patch, _ instructions: [Instruction], padding: [UInt8] = []
  ) throws(HookError) {
    guard let last = instructions.last else {
      throw HookError(.tooShort, at: 0, "no instructions")
    }
    self.tier = tier
    self.patch = patch
    self.instructions = instructions
    end = last.end
    var original: [UInt8] = []
    original.reserveCapacity(patch.size + MachineCode.longest)
    for instruction in instructions where original.count < patch.size {
      instruction.withBytes { original.append(contentsOf: $0) }
    }
    original.append(contentsOf: padding)
    original.removeLast(max(0, original.count - patch.size))
    self.original = original
    precondition(original.count == patch.size, "a window that is smaller than its patch")
  }
}
