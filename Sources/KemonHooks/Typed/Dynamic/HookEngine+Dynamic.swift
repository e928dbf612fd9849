// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import CKemonPlatform

  extension HookEngine {
    /// Puts a hook at the beginning of a function whose prototype came at run time.
    ///
    /// Handlers allocate memory on the way. Structures by value, `long double` and any number of arguments are read and
    /// changed by their index.
    ///
    /// - Parameters:
    ///   - options: the vector registers are kept as the prototype needs it, whatever is said here.
    ///   - pre: nil to call the function in any case.
    ///   - post: nil to leave the result as it is.
    /// - Throws: as ``attach(entry:_:handlers:)``, or ``HookError/Code-swift.enum/unsupportedPrototype``.
    @discardableResult
    public static func attach(
      entry: UnsafeRawPointer, prototype: DynamicPrototype,
      _ options: HookOptions = HookOptions(), pre: DynamicHook.Pre? = nil,
      post: DynamicHook.Post? = nil
    ) throws(HookError) -> DynamicHook {
      let described = try describe(prototype, for: entry)
      let words = described.layout.stackWords
      // Without post the function is not called anew: it gets the caller's own.
      guard post == nil || words <= Int(CKEMON_STACK_WORDS) else {
        throw HookError(
          .unsupportedPrototype, at: UInt(bitPattern: entry),
          "\(prototype): \(words) words of arguments on the stack; a hook with a post handler passes on "
            + "\(CKEMON_STACK_WORDS)")
      }
      var options = options
      options.vectors = described.layout.vectors
      let handlers = DynamicHook.Handlers(described, pre, post)
      do throws(HookError) {
        let hook = try attach(entry: entry, options, handlers: handlers.retained())
        return DynamicHook(hook, handlers)
      } catch {
        handlers.release()
        throw error
      }
    }

    /// The same for a function of a loaded library, as ``attach(symbol:in:_:handlers:)`` finds it.
    @discardableResult
    public static func attach(
      symbol: String, in library: String? = nil, prototype: DynamicPrototype,
      _ options: HookOptions = HookOptions(), pre: DynamicHook.Pre? = nil,
      post: DynamicHook.Post? = nil
    ) throws(HookError) -> DynamicHook {
      try attach(
        entry: try address(of: symbol, in: library), prototype: prototype, options, pre: pre,
        post: post)
    }

    /// Lets every call of a function whose prototype came at run time go to a handler.
    ///
    /// - Parameters:
    ///   - handler: what takes the function's place: sets the result, and calls the function as it was if it wants to
    ///     (``DynamicCall/callOriginal()``). It is kept for ever: a call may be on its way to it at any time.
    /// - Throws: as ``replace(entry:with:_:original:)``, or ``HookError/Code-swift.enum/unsupportedPrototype``.
    @discardableResult
    public static func replace(
      entry: UnsafeRawPointer, prototype: DynamicPrototype,
      _ options: HookOptions = HookOptions(),
      with handler: @escaping @Sendable (inout DynamicCall) -> Void
    ) throws(HookError) -> Replacement {
      let closure = try DynamicClosure(
        try describe(prototype, for: entry), near: entry, handler)
      return try replace(
        entry: entry, with: closure.code, options, original: closure.original)
    }

    private static func describe(
      _ prototype: DynamicPrototype, for function: UnsafeRawPointer
    ) throws(HookError) -> DescribedCall {
      do {
        return try DescribedCall(prototype)
      } catch {
        throw HookError(.unsupportedPrototype, at: UInt(bitPattern: function), error.description)
      }
    }
  }
#endif
