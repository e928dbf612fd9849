// SPDX-License-Identifier: Apache-2.0

/// Changes that are made together: all of them or none, with one stop of the other threads.
///
/// ```swift
/// var transaction = HookTransaction()
/// for function in functions { transaction.attach(entry: function, handlers: handlers) }
/// let hooks = try transaction.commit().hooks
/// ```
public struct HookTransaction {
  /// What was asked for.
  enum Request {
    case attach(Place, UInt, HookOptions, HookHandlers)
    case detach(Hook)
    case replace(UInt, detour: UInt, HookOptions, UnsafeMutablePointer<UInt>?)
    case restore(Replacement)

    enum Place { case entry, callSite }
  }

  /// What a transaction has made, each in the order of the requests.
  public struct Outcome: Sendable {
    /// One for each attachment.
    public internal(set) var hooks: [Hook] = []
    /// One for each replacement.
    public internal(set) var replacements: [Replacement] = []
    /// How the other threads were stopped, if they were.
    public internal(set) var stop = StopReport()
  }

  /// How the other threads were stopped for a change.
  public struct StopReport: Sendable, Equatable {
    /// Other threads of the process that were looked at; 0 when none had to be stopped.
    public var threads = 0
    /// Of those, stopped by a signal.
    public var signalled = 0
    /// Of those, left asleep in a system call.
    public var asleep = 0
    /// Of those, moved out of replaced instructions.
    public var moved = 0
    /// Nanoseconds from the first signal to the release.
    public var pauseNanoseconds: UInt64 = 0
  }

  var requests: [Request] = []
  /// How long to try to stop the other threads before the transaction fails with ``HookError/Code-swift.enum/busy``.
  ///
  /// One attempt keeps those that have stopped waiting for a quarter of a second at most, and lets them go on then.
  public var timeoutMilliseconds: UInt32 = 5000

  /// Begins without changes.
  public init() {}

  /// Adds a hook at the beginning of a function.
  public mutating func attach(
    entry: UnsafeRawPointer, _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) {
    requests.append(.attach(.entry, UInt(bitPattern: entry), options, handlers))
  }

  /// Adds a hook at a call.
  public mutating func attach(
    callSite: UnsafeRawPointer, _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) {
    requests.append(.attach(.callSite, UInt(bitPattern: callSite), options, handlers))
  }

  /// Takes a hook out.
  public mutating func detach(_ hook: Hook) { requests.append(.detach(hook)) }

  /// Lets calls of a function go to another one.
  ///
  /// - Parameters:
  ///   - entry: the function.
  ///   - detour: has the same prototype.
  ///   - options: extent and safety.
  ///   - original: where to put the address that calls the function as it was, before the first call arrives at the
  ///     detour; must stay valid until ``commit()`` returns.
  public mutating func replace(
    entry: UnsafeRawPointer, with detour: UnsafeRawPointer, _ options: HookOptions = HookOptions(),
    original: UnsafeMutablePointer<UInt>? = nil
  ) {
    requests.append(
      .replace(UInt(bitPattern: entry), detour: UInt(bitPattern: detour), options, original))
  }

  /// Undoes a replacement.
  public mutating func restore(_ replacement: Replacement) {
    requests.append(.restore(replacement))
  }

  /// Makes the changes.
  ///
  /// Any thread. Waits, after the code has changed, until no handler that was taken out runs any more.
  ///
  /// - Throws: the first ``HookError``; nothing has changed then.
  public func commit() throws(HookError) -> Outcome { try HookEngine.commit(self) }
}
