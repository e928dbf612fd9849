// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc
internal import KemonPlatform

/// Calls handlers before and after any function of this process, by changing its code.
///
/// ```swift
/// let hook = try HookEngine.attach(entry: address, handlers: HookHandlers(pre: { _, frame in … }))
/// …
/// try hook.detach()
/// ```
///
/// Any thread may attach and detach, also while others call the function. A function takes any number of hooks. Many
/// changes at once: ``HookTransaction``. Refusals are typed: see ``HookError``.
public enum HookEngine {
  /// Puts a hook at the beginning of a function: behind its `endbr64`, if it has one and that is possible.
  @discardableResult
  public static func attach(
    entry: UnsafeRawPointer, _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) throws(HookError) -> Hook {
    var transaction = HookTransaction()
    transaction.attach(entry: entry, options, handlers: handlers)
    return try transaction.commit().hooks[0]
  }

  /// Puts a hook at the beginning of a function of a loaded library.
  ///
  /// - Parameters:
  ///   - symbol: its name; what an indirect function has been resolved to is hooked.
  ///   - library: the name or path of the library as the dynamic linker knows it; nil for the first that has the symbol.
  /// - Throws: ``HookError/Code-swift.enum/notFound`` when there is no such library or function.
  @discardableResult
  public static func attach(
    symbol: String, in library: String? = nil, _ options: HookOptions = HookOptions(),
    handlers: HookHandlers
  ) throws(HookError) -> Hook {
    try attach(entry: try address(of: symbol, in: library), options, handlers: handlers)
  }

  /// Puts a hook at a near call: the handlers see the callee's arguments and result, for this call site only.
  ///
  /// The instructions behind the call that are replaced too (`mov ebx, eax; test ebx, ebx`) run after the post
  /// handler, so that they work on the result that it leaves. ``PatchSafety/live`` takes calls of five bytes and more
  /// only, because a call that is under way returns to the byte behind it.
  @discardableResult
  public static func attach(
    callSite: UnsafeRawPointer, _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) throws(HookError) -> Hook {
    var transaction = HookTransaction()
    transaction.attach(callSite: callSite, options, handlers: handlers)
    return try transaction.commit().hooks[0]
  }

  /// Lets every call of a function go to another one of the same prototype.
  ///
  /// - Parameter original: see ``HookTransaction/replace(entry:with:_:original:)``.
  @discardableResult
  public static func replace(
    entry: UnsafeRawPointer, with detour: UnsafeRawPointer, _ options: HookOptions = HookOptions(),
    original: UnsafeMutablePointer<UInt>? = nil
  ) throws(HookError) -> Replacement {
    var transaction = HookTransaction()
    transaction.replace(entry: entry, with: detour, options, original: original)
    return try transaction.commit().replacements[0]
  }

  /// The address of a function of a loaded library.
  public static func address(
    of symbol: String, in library: String? = nil
  ) throws(HookError) -> UnsafeRawPointer {
    var handle: UnsafeMutableRawPointer?
    if let library {
      handle = dlopen(library, RTLD_NOLOAD | RTLD_LAZY)
      guard handle != nil else {
        throw HookError(.notFound, at: 0, "no library \(library) is loaded")
      }
    }
    defer { if let handle { dlclose(handle) } }
    guard let address = dlsym(handle, symbol) else {
      throw HookError(.notFound, at: 0, "no function \(symbol) in \(library ?? "any library")")
    }
    return UnsafeRawPointer(address)
  }

  #if arch(x86_64) && os(Linux)
    // Cold state: taken by attach and detach, never on the path of a hooked call.
    private static let table: PosixLock<SiteTable> = {
      pthread_atfork(
        { HookEngine.table.beforeFork() }, { HookEngine.table.afterFork() },
        { HookEngine.table.afterFork() })
      return PosixLock(SiteTable())
    }()

    private static func locked<Result>(
      _ body: (inout SiteTable) throws(HookError) -> Result
    ) throws(HookError) -> Result {
      try table.withLock { table throws(HookError) in try body(&table) }
    }

    /// What a hook at the beginning of a function would do; nothing is changed.
    ///
    /// - Parameter options: those of the hook, of which ``HookOptions/safety`` does not matter: see
    ///   ``HookPlan/needsQuiescence``.
    /// - Throws: why the function can not be hooked.
    public static func plan(
      entry: UnsafeRawPointer, _ options: HookOptions = HookOptions()
    ) throws(HookError) -> HookPlan {
      let plans = table.withLock { table in
        table.plans([(UInt(bitPattern: entry), options)])
      }
      return try plans[0].get()
    }

    /// What hooks of many functions would do: their library is read once.
    static func plans(
      _ functions: [(entry: UInt, options: HookOptions)]
    ) -> [Result<HookPlan, HookError>] {
      table.withLock { $0.plans(functions) }
    }

    static func commit(
      _ transaction: HookTransaction
    ) throws(HookError) -> HookTransaction.Outcome {
      // Outside of the lock: the dynamic linker has its own, and runs code that may attach hooks under it.
      let pins = LibraryPins(of: transaction.requests)
      let change = try locked { table throws(HookError) in
        try table.commit(transaction, pins)
      }
      // Handlers in flight may attach hooks of their own, so again without the lock.
      for departure in change.departures {
        while true {
          let seen = ckemon_hook_departures(departure.pointer)
          guard try locked({ table in table.isInUse(departure) }) else { break }
          ckemon_hook_await_departure(departure.pointer, seen)
        }
      }
      return change.outcome
    }

    static func callsInFlight(at address: UInt) -> Int {
      table.withLock { table in
        table.hook(at: address).map { Int(ckemon_hook_in_flight($0)) } ?? 0
      }
    }

    static func suppressedCalls(at address: UInt) -> UInt64 {
      table.withLock { table in
        table.hook(at: address).map { ckemon_hook_suppressed($0) } ?? 0
      }
    }
  #else
    /// Refuses: hooks need another system.
    public static func plan(
      entry: UnsafeRawPointer, _ options: HookOptions = HookOptions()
    ) throws(HookError) -> HookPlan {
      throw HookError(
        .unsupportedProcessor, at: UInt(bitPattern: entry), "hooks need an x86-64 Linux system")
    }

    static func plans(
      _ functions: [(entry: UInt, options: HookOptions)]
    ) -> [Result<HookPlan, HookError>] {
      functions.map { function in
        .failure(
          HookError(
            .unsupportedProcessor, at: function.entry, "hooks need an x86-64 Linux system"))
      }
    }

    static func commit(
      _ transaction: HookTransaction
    ) throws(HookError) -> HookTransaction.Outcome {
      if transaction.requests.isEmpty { return HookTransaction.Outcome() }
      throw HookError(.unsupportedProcessor, at: 0, "hooks need an x86-64 Linux system")
    }

    static func callsInFlight(at address: UInt) -> Int { 0 }
    static func suppressedCalls(at address: UInt) -> UInt64 { 0 }
  #endif
}
