// SPDX-License-Identifier: Apache-2.0

/// A hook that has been put in.
///
/// It stays until ``detach()``, also when nobody keeps this object.
public final class Hook: Sendable {
  /// The function or the call that was hooked.
  public let address: UInt
  /// The instructions that were replaced, in order.
  public let replaced: [Instruction]

  private let generation: UInt64

  init(address: UInt, replaced: [Instruction], generation: UInt64) {
    self.address = address
    self.replaced = replaced
    self.generation = generation
  }

  /// Takes the hook out: the bytes are as they were, and the last call that was in flight has left its post handler.
  ///
  /// Waits as long as hooked functions that were called with the hook in place take to return; a call that was left by
  /// an exception or `longjmp` never does. Any thread; doing it twice does nothing.
  ///
  /// - Throws: ``HookError/Code-swift.enum/insideHandler`` on a thread that is in a call through the hook, `changed` when somebody else has changed the bytes, or `system`; the hook is
  ///   still in place then.
  public func detach() throws(HookError) {
    try HookEngine.detach(at: address, generation: generation)
  }

  /// How many calls are between the beginning of pre and the end of post right now.
  public var callsInFlight: Int { HookEngine.callsInFlight(at: address) }
}
