// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  internal import CKemonPlugin.Hook
  internal import KemonHooks

  /// Pointers to arguments, as C has them.
  public typealias ArgumentPointers = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  /// `kemon_hook_dynamic_pre` of kemon/hook.h.
  public typealias DynamicPre =
    @convention(c) (UnsafeMutableRawPointer?, ArgumentPointers, UnsafeMutableRawPointer) -> Int32
  /// `kemon_hook_dynamic_post` of kemon/hook.h.
  public typealias DynamicPost =
    @convention(c) (UnsafeMutableRawPointer?, ArgumentPointers, UnsafeMutableRawPointer?) -> Void
  /// `kemon_hook_detour` of kemon/hook.h.
  public typealias DynamicDetour =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeRawPointer?, ArgumentPointers, UnsafeMutableRawPointer
    ) -> Void

  /// A pointer of C's, which promises that it is good on any thread.
  private struct Context: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?
  }

  private func calling(_ pre: @escaping DynamicPre, _ context: Context) -> DynamicHook.Pre {
    { call in
      let answer = pre(context.pointer, call.arguments, call.result)
      return answer == KEMON_HOOK_PROCEED ? .proceed : .skip
    }
  }

  private func calling(_ post: @escaping DynamicPost, _ context: Context) -> DynamicHook.Post {
    { call in
      let result = call.ending == .unwound ? nil : call.result
      post(context.pointer, call.arguments, result)
    }
  }

  /// Runs what needs a function and its prototype.
  private func reading(
    _ function: UnsafeRawPointer?, _ text: UnsafePointer<CChar>?,
    _ body: (UnsafeRawPointer, DynamicPrototype) throws(HookError) -> Void
  ) -> Int32 {
    guard let function, let text else {
      return ErrorText.refuse("a function and its prototype are needed, not NULL")
    }
    var prototype: DynamicPrototype?
    let status = reading(text) { prototype = $0 }
    guard let prototype else { return status }
    return ErrorText.catching { () throws(HookError) in try body(function, prototype) }
  }

  /// Reads a prototype, and runs what it may not fit.
  private func reading(
    _ text: UnsafePointer<CChar>, _ body: (DynamicPrototype) throws(PrototypeError) -> Void
  ) -> Int32 {
    do throws(PrototypeError) {
      try body(try DynamicPrototype(String(cString: text)))
      return 0
    } catch {
      ErrorText.set("\(String(cString: text)): \(error)")
      return KEMON_HOOK_E_PROTOTYPE
    }
  }

  /// `kemon_hook_attach_dynamic` of kemon/hook.h.
  @_cdecl("kemon_hook_attach_dynamic")
  public func hookAttachDynamic(
    _ function: UnsafeRawPointer?, _ prototype: UnsafePointer<CChar>?,
    _ options: UnsafeRawPointer?, _ pre: DynamicPre?, _ post: DynamicPost?,
    _ context: UnsafeMutableRawPointer?, _ slot: HandleSlot?
  ) -> Int32 {
    guard let slot else { return ErrorText.refuse("a place for the hook is needed, not NULL") }
    slot.pointee = nil
    let context = Context(pointer: context)
    return reading(function, prototype) { function, prototype throws(HookError) in
      let hook = try HookEngine.attach(
        entry: function, prototype: prototype, HookOptions(options),
        pre: pre.map { calling($0, context) }, post: post.map { calling($0, context) })
      slot.pointee = Handle.make(hook.hook, forget: hook.forgetHandlers)
    }
  }

  /// `kemon_hook_replace_dynamic` of kemon/hook.h.
  @_cdecl("kemon_hook_replace_dynamic")
  public func hookReplaceDynamic(
    _ function: UnsafeRawPointer?, _ prototype: UnsafePointer<CChar>?, _ detour: DynamicDetour?,
    _ context: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let detour else { return ErrorText.refuse("a detour is needed, not NULL") }
    let context = Context(pointer: context)
    return reading(function, prototype) { function, prototype throws(HookError) in
      let replacement = try HookEngine.replace(entry: function, prototype: prototype) { call in
        detour(
          context.pointer, UnsafeRawPointer(bitPattern: call.original), call.arguments,
          call.result)
      }
      Replacements.remember(replacement, of: UInt(bitPattern: function))
    }
  }

  /// `kemon_prototype_create` of kemon/hook.h.
  @_cdecl("kemon_prototype_create")
  public func prototypeCreate(_ text: UnsafePointer<CChar>?, _ slot: HandleSlot?) -> Int32 {
    guard let text, let slot else {
      return ErrorText.refuse("a text and a place for the prototype are needed, not NULL")
    }
    slot.pointee = nil
    return reading(text) { prototype throws(PrototypeError) in
      // What C holds as `kemon_prototype *`.
      slot.pointee = Unmanaged.passRetained(try DescribedCall(prototype)).toOpaque()
    }
  }

  /// `kemon_prototype_call` of kemon/hook.h.
  @_cdecl("kemon_prototype_call")
  public func prototypeCall(
    _ prototype: UnsafeRawPointer, _ function: UnsafeRawPointer, _ arguments: ArgumentPointers,
    _ result: UnsafeMutableRawPointer
  ) {
    Unmanaged<DescribedCall>.fromOpaque(prototype)._withUnsafeGuaranteedRef {
      $0.call(function, arguments, result)
    }
  }

  /// `kemon_prototype_free` of kemon/hook.h.
  @_cdecl("kemon_prototype_free")
  public func prototypeFree(_ prototype: UnsafeRawPointer?) {
    if let prototype { Unmanaged<DescribedCall>.fromOpaque(prototype).release() }
  }
#endif
