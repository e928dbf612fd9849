// SPDX-License-Identifier: Apache-2.0

/// A hook that has been put in.
///
/// It stays until ``detach()``, also when nobody keeps this object.
public final class Hook: Sendable {
  /// The function or the call that was hooked.
  public let address: UInt
  /// The instructions that were replaced, in order.
  public let replaced: [Instruction]

  let id: UInt64

  init(address: UInt, replaced: [Instruction], id: UInt64) {
    self.address = address
    self.replaced = replaced
    self.id = id
  }

  /// Takes the hook out: no handler of it runs any more when this returns, and the bytes are as they were when it was the
  /// last one at its place.
  ///
  /// Waits as long as calls that its handlers have seen take to return. Any thread; doing it twice does nothing.
  ///
  /// - Throws: ``HookError/Code-swift.enum/insideHandler`` on a thread that is in a call through the hook, `changed` when
  ///   somebody else has changed the bytes, or `system`; the hook is still in place then.
  public func detach() throws(HookError) {
    var transaction = HookTransaction()
    transaction.detach(self)
    _ = try transaction.commit()
  }

  /// How many calls are between the beginning of pre and the end of post right now, of all hooks at this place.
  public var callsInFlight: Int { HookEngine.callsInFlight(at: address) }

  /// How many calls no handler saw, because a handler at this place made them.
  public var suppressedCalls: UInt64 { HookEngine.suppressedCalls(at: address) }
}

/// A function that takes another's place.
public final class Replacement: Sendable {
  /// Where the function's code was changed.
  public let address: UInt
  /// Calls the function as it was; good for ever.
  public let original: UInt

  let id: UInt64

  init(address: UInt, original: UInt, id: UInt64) {
    self.address = address
    self.original = original
    self.id = id
  }

  /// Lets calls go to the function itself again; calls may still be inside the replacement.
  ///
  /// Any thread; doing it twice does nothing.
  public func restore() throws(HookError) {
    var transaction = HookTransaction()
    transaction.restore(self)
    _ = try transaction.commit()
  }
}
