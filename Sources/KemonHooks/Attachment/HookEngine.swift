// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import KemonPlatform

/// Calls handlers before and after any function of this process, by changing its code.
///
/// ```swift
/// let hook = try HookEngine.attach(entry: address, handlers: HookHandlers(pre: { _, frame in … }))
/// …
/// try hook.detach()
/// ```
///
/// Any thread may attach and detach. Each place takes one hook at a time. Refusals are typed: see ``HookError``.
public enum HookEngine {
  /// Puts a hook at the beginning of a function: behind its `endbr64`, if it has one.
  ///
  /// - Parameters:
  ///   - entry: the function.
  ///   - extent: where its code ends; nil to read it from the unwind information.
  ///   - safety: what is known of other threads. `.live` takes functions whose first instruction is long enough.
  ///   - handlers: what to call; see there for what handlers may do.
  @discardableResult
  public static func attach(
    entry: UnsafeRawPointer, extent: FunctionExtent? = nil, safety: PatchSafety = .live,
    handlers: HookHandlers
  ) throws(HookError) -> Hook {
    #if arch(x86_64) && os(Linux)
      return try locked { table throws(HookError) in
        try table.attach(.entry, at: UInt(bitPattern: entry), extent, safety, handlers)
      }
    #else
      throw unsupported(entry)
    #endif
  }

  /// Puts a hook at a near call: the handlers see the callee's arguments and result, for this call site only.
  ///
  /// The instructions behind the call that are replaced too (`mov ebx, eax; test ebx, ebx`) run after the post
  /// handler, so that they work on the result that it leaves.
  ///
  /// - Parameters:
  ///   - callSite: the call instruction.
  ///   - extent: the code of the function that it belongs to; nil to read it from the unwind information.
  ///   - safety: what is known of other threads. `.live` takes calls of five bytes and more only, because a call that
  ///     is under way returns to the byte behind it.
  ///   - handlers: what to call.
  @discardableResult
  public static func attach(
    callSite: UnsafeRawPointer, extent: FunctionExtent? = nil, safety: PatchSafety = .live,
    handlers: HookHandlers
  ) throws(HookError) -> Hook {
    #if arch(x86_64) && os(Linux)
      return try locked { table throws(HookError) in
        try table.attach(.callSite, at: UInt(bitPattern: callSite), extent, safety, handlers)
      }
    #else
      throw unsupported(callSite)
    #endif
  }

  #if arch(x86_64) && os(Linux)
    // Cold state: taken by attach and detach, never on the path of a hooked call.
    private static let table = PosixLock(SiteTable())

    private static func locked<Result>(
      _ body: (inout SiteTable) throws(HookError) -> Result
    ) throws(HookError) -> Result {
      try table.withLock { table throws(HookError) in try body(&table) }
    }

    static func detach(at address: UInt, generation: UInt64) throws(HookError) {
      let pointer = try locked { table throws(HookError) in
        try table.restore(at: address, generation: generation).map { UInt(bitPattern: $0) }
      }
      // Outside of the lock: handlers in flight may attach hooks of their own.
      guard let pointer, let hook = OpaquePointer(bitPattern: pointer) else { return }
      ckemon_hook_disarm(hook)
      try locked { table throws(HookError) in table.release(at: address) }
    }

    static func callsInFlight(at address: UInt) -> Int {
      table.withLock { $0.sites[address].map { Int(ckemon_hook_in_flight($0.pointer)) } ?? 0 }
    }
  #else
    private static func unsupported(_ address: UnsafeRawPointer) -> HookError {
      HookError(
        .unsupportedProcessor, at: UInt(bitPattern: address), "hooks need an x86-64 Linux system")
    }

    static func detach(at address: UInt, generation: UInt64) throws(HookError) {}
    static func callsInFlight(at address: UInt) -> Int { 0 }
  #endif
}
