// SPDX-License-Identifier: Apache-2.0

/// What a hook would do to a function.
public struct HookPlan: Sendable {
  /// How the function is made hookable.
  public let tier: HookTier
  /// The function.
  public let function: FunctionExtent
  /// Where the code is changed: behind `endbr64` when that is possible.
  public let address: UInt
  /// The instructions that the hook takes the place of.
  public let replaced: [Instruction]
  /// The bytes that are changed there: five for a jump, two for a short one, one for a breakpoint.
  public let original: [UInt8]
  /// What would be written for the moved instructions.
  public let moved: [UInt8]
  /// Where that would stand.
  public let movedAddress: UInt
  /// Where the moved instructions go on: behind the replaced ones, or at the end of a copied function.
  public let resume: UInt
  /// Whether other threads are stopped for an instant, because several instructions are replaced.
  public let needsStop: Bool
  /// Whether ``PatchSafety/live`` is refused.
  public let needsQuiescence: Bool
  /// Where the function jumps to with its first instruction, when that is all it does; the hook stays on what was named.
  public let jumpTarget: UInt?
}
