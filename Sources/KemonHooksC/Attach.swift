// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlugin.Hook
public import KemonHooks

/// What C holds as `kemon_hook *`.
final class Handle {
  let hook: Hook
  /// Lets go of what the hook's handlers hold.
  private let forget: () -> Void

  private init(_ hook: Hook, _ forget: @escaping () -> Void) {
    self.hook = hook
    self.forget = forget
  }

  /// A pointer that owns the handle.
  static func make(_ hook: Hook, forget: @escaping () -> Void = {}) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(Handle(hook, forget)).toOpaque()
  }

  static func hook(of pointer: UnsafeRawPointer) -> Hook {
    Unmanaged<Handle>.fromOpaque(pointer).takeUnretainedValue().hook
  }

  /// For a hook that is out.
  static func release(_ pointer: UnsafeRawPointer) {
    Unmanaged<Handle>.fromOpaque(pointer).takeRetainedValue().forget()
  }
}

/// Where C wants the handle.
public typealias HandleSlot = UnsafeMutablePointer<UnsafeMutableRawPointer?>

extension HookOptions {
  /// Reads a `kemon_hook_options`, as much as its maker knew of.
  init(_ pointer: UnsafeRawPointer?) {
    self.init()
    guard let pointer else { return }
    var options = kemon_hook_options()
    let size = min(
      Int(pointer.loadUnaligned(as: UInt32.self)), MemoryLayout<kemon_hook_options>.size)
    withUnsafeMutableBytes(of: &options) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: size))
    }
    if options.flags & KEMON_HOOK_QUIESCENT != 0 { safety = .quiescent }
    if options.flags & KEMON_HOOK_INTEGERS_ONLY != 0 { vectors = .integersOnly }
    if options.flags & KEMON_HOOK_WIDEST_VECTORS != 0 { vectors = .bytes64 }
    isExclusive = options.flags & KEMON_HOOK_EXCLUSIVE != 0
    allowsTraps = options.flags & KEMON_HOOK_TRAPS != 0
    order = Int(options.order)
    if let function = options.function {
      extent = FunctionExtent(start: function, size: Int(clamping: options.function_size))
    }
  }
}

private func attach(
  _ slot: HandleSlot?, _ body: () throws(HookError) -> Hook
) -> Int32 {
  guard let slot else { return ErrorText.refuse("a place for the hook is needed, not NULL") }
  slot.pointee = nil
  return ErrorText.catching { () throws(HookError) in slot.pointee = Handle.make(try body()) }
}

/// `kemon_hook_attach_entry` of kemon/hook.h.
@_cdecl("kemon_hook_attach_entry")
public func hookAttach(
  _ function: UnsafeRawPointer?, _ options: UnsafeRawPointer?, _ pre: HookHandlers.Pre?,
  _ post: HookHandlers.Post?, _ context: UnsafeMutableRawPointer?, _ slot: HandleSlot?
) -> Int32 {
  guard let function else { return ErrorText.refuse("a function is needed, not NULL") }
  return attach(slot) { () throws(HookError) in
    try HookEngine.attach(
      entry: function, HookOptions(options),
      handlers: HookHandlers(pre: pre, post: post, context: context))
  }
}

/// `kemon_hook_attach_symbol` of kemon/hook.h.
@_cdecl("kemon_hook_attach_symbol")
public func hookAttachSymbol(
  _ library: UnsafePointer<CChar>?, _ symbol: UnsafePointer<CChar>?, _ options: UnsafeRawPointer?,
  _ pre: HookHandlers.Pre?, _ post: HookHandlers.Post?, _ context: UnsafeMutableRawPointer?,
  _ slot: HandleSlot?
) -> Int32 {
  guard let symbol else { return ErrorText.refuse("a symbol is needed, not NULL") }
  return attach(slot) { () throws(HookError) in
    try HookEngine.attach(
      symbol: String(cString: symbol), in: library.map { String(cString: $0) },
      HookOptions(options), handlers: HookHandlers(pre: pre, post: post, context: context))
  }
}

/// `kemon_hook_attach_call` of kemon/hook.h.
@_cdecl("kemon_hook_attach_call")
public func hookAttachCall(
  _ call: UnsafeRawPointer?, _ options: UnsafeRawPointer?, _ pre: HookHandlers.Pre?,
  _ post: HookHandlers.Post?, _ context: UnsafeMutableRawPointer?, _ slot: HandleSlot?
) -> Int32 {
  guard let call else { return ErrorText.refuse("a call is needed, not NULL") }
  return attach(slot) { () throws(HookError) in
    try HookEngine.attach(
      callSite: call, HookOptions(options),
      handlers: HookHandlers(pre: pre, post: post, context: context))
  }
}

/// `kemon_hook_detach` of kemon/hook.h.
@_cdecl("kemon_hook_detach")
public func hookDetach(_ handle: UnsafeMutableRawPointer?) -> Int32 {
  guard let handle else { return 0 }
  return ErrorText.catching { () throws(HookError) in
    try Handle.hook(of: handle).detach()
    Handle.release(handle)
  }
}

/// `kemon_hook_stats` of kemon/hook.h.
@_cdecl("kemon_hook_stats")
public func hookStats(
  _ handle: UnsafeRawPointer?, _ statistics: UnsafeMutableRawPointer?
) -> Int32 {
  guard let handle, let statistics else {
    return ErrorText.refuse("a hook and a place for its statistics are needed, not NULL")
  }
  let hook = Handle.hook(of: handle)
  var found = kemon_hook_statistics()
  let size = min(
    Int(statistics.loadUnaligned(as: UInt32.self)), MemoryLayout<kemon_hook_statistics>.size)
  found.size = UInt32(size)
  found.in_flight = UInt32(clamping: hook.callsInFlight)
  found.suppressed = hook.suppressedCalls
  withUnsafeBytes(of: &found) { bytes in
    UnsafeMutableRawBufferPointer(start: statistics, count: size)
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<size]))
  }
  return 0
}
