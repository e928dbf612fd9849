// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlugin.Hook
public import KemonHooks

/// What C holds as `kemon_hook_transaction *`.
final class TransactionBox {
  var transaction = HookTransaction()
  /// Where the handles of its attachments go.
  var slots: [HandleSlot?] = []
  /// The functions of its replacements.
  var replaced: [UInt] = []
  /// The handles of the hooks that it takes out.
  var detached: [UnsafeMutableRawPointer] = []
  /// What was wrong with what C asked for.
  var complaint: String?

  static func of(_ pointer: UnsafeMutableRawPointer?) -> TransactionBox? {
    pointer.map { Unmanaged<TransactionBox>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// `kemon_hook_begin` of kemon/hook.h.
@_cdecl("kemon_hook_begin")
public func hookBegin() -> UnsafeMutableRawPointer? {
  Unmanaged.passRetained(TransactionBox()).toOpaque()
}

/// `kemon_hook_add_attach` of kemon/hook.h.
@_cdecl("kemon_hook_add_attach")
public func hookAddAttach(
  _ transaction: UnsafeMutableRawPointer?, _ function: UnsafeRawPointer?,
  _ options: UnsafeRawPointer?, _ pre: HookHandlers.Pre?, _ post: HookHandlers.Post?,
  _ context: UnsafeMutableRawPointer?, _ slot: HandleSlot?
) {
  guard let box = TransactionBox.of(transaction) else { return }
  slot?.pointee = nil
  guard let function else {
    box.complaint = "a function is needed, not NULL"
    return
  }
  box.slots.append(slot)
  box.transaction.attach(
    entry: function, HookOptions(options),
    handlers: HookHandlers(pre: pre, post: post, context: context))
}

/// `kemon_hook_add_replace` of kemon/hook.h.
@_cdecl("kemon_hook_add_replace")
public func hookAddReplace(
  _ transaction: UnsafeMutableRawPointer?, _ function: UnsafeRawPointer?,
  _ detour: UnsafeRawPointer?, _ original: UnsafeMutablePointer<UInt>?
) {
  guard let box = TransactionBox.of(transaction) else { return }
  guard let function, let detour else {
    box.complaint = "a function and one to take its place are needed, not NULL"
    return
  }
  box.replaced.append(UInt(bitPattern: function))
  box.transaction.replace(entry: function, with: detour, original: original)
}

/// `kemon_hook_add_detach` of kemon/hook.h.
@_cdecl("kemon_hook_add_detach")
public func hookAddDetach(
  _ transaction: UnsafeMutableRawPointer?, _ handle: UnsafeMutableRawPointer?
) {
  guard let box = TransactionBox.of(transaction), let handle else { return }
  box.detached.append(handle)
  box.transaction.detach(Handle.hook(of: handle))
}

/// `kemon_hook_commit` of kemon/hook.h.
@_cdecl("kemon_hook_commit")
public func hookCommit(_ transaction: UnsafeMutableRawPointer?) -> Int32 {
  guard let box = TransactionBox.of(transaction) else {
    return ErrorText.refuse("a transaction is needed, not NULL")
  }
  defer { hookAbandon(transaction) }
  if let complaint = box.complaint { return ErrorText.refuse(complaint) }
  return ErrorText.catching { () throws(HookError) in
    let outcome = try box.transaction.commit()
    for (slot, hook) in zip(box.slots, outcome.hooks) { slot?.pointee = Handle.make(hook) }
    for (function, replacement) in zip(box.replaced, outcome.replacements) {
      Replacements.remember(replacement, of: function)
    }
    for handle in box.detached { Handle.release(handle) }
  }
}

/// `kemon_hook_abandon` of kemon/hook.h.
@_cdecl("kemon_hook_abandon")
public func hookAbandon(_ transaction: UnsafeMutableRawPointer?) {
  if let transaction { Unmanaged<TransactionBox>.fromOpaque(transaction).release() }
}
