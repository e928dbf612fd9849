// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlugin.Hook
internal import Glibc
internal import KemonHooks
internal import KemonPlatform

/// The replacements that C made, by function: C undoes them by the function's address.
enum Replacements {
  private static let table: PosixLock<[UInt: Replacement]> = {
    pthread_atfork(
      { Replacements.table.beforeFork() }, { Replacements.table.afterFork() },
      { Replacements.table.afterFork() })
    return PosixLock([:])
  }()

  static func remember(_ replacement: Replacement, of function: UInt) {
    table.withLock { $0[function] = replacement }
  }

  static func forget(_ function: UInt) -> Replacement? {
    table.withLock { $0.removeValue(forKey: function) }
  }
}

/// `kemon_hook_replace` of kemon/hook.h.
@_cdecl("kemon_hook_replace")
public func hookReplace(
  _ function: UnsafeRawPointer?, _ detour: UnsafeRawPointer?,
  _ original: UnsafeMutablePointer<UInt>?
) -> Int32 {
  guard let function, let detour else {
    return ErrorText.refuse("a function and one to take its place are needed, not NULL")
  }
  return ErrorText.catching { () throws(HookError) in
    Replacements.remember(
      try HookEngine.replace(entry: function, with: detour, original: original),
      of: UInt(bitPattern: function))
  }
}

/// `kemon_hook_restore` of kemon/hook.h.
@_cdecl("kemon_hook_restore")
public func hookRestore(_ function: UnsafeRawPointer?) -> Int32 {
  let address = UInt(bitPattern: function)
  guard let replacement = Replacements.forget(address) else {
    ErrorText.set("no function was put in place of 0x\(String(address, radix: 16))")
    return KEMON_HOOK_E_NOT_FOUND
  }
  let status = ErrorText.catching { () throws(HookError) in try replacement.restore() }
  if status != 0 { Replacements.remember(replacement, of: address) }
  return status
}
