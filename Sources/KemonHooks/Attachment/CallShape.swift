// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// How much of a call's arguments a thunk keeps while handlers run, beside the integer registers.
  struct CallShape: Equatable {
    /// Bytes of each vector register.
    let width: Int
    /// Vector registers, from the first.
    let vectors: Int
    /// Words on the stack.
    let words: Int

    /// What fits a call of which nothing but the width of its vectors is known.
    init(_ width: VectorWidth) {
      self.width = width.rawValue
      vectors = width == .integersOnly ? 0 : 8
      words = width == .integersOnly ? 0 : Int(CKEMON_STACK_WORDS)
    }

    /// What a call of a function with this prototype needs.
    init(_ prototype: HookPrototype) {
      let floating = prototype.arguments.count { $0.isFloating }
      // A result in a vector register is kept where arguments are.
      vectors = max(min(floating, 8), prototype.result.isFloating ? 1 : 0)
      width = vectors == 0 ? 0 : VectorWidth.bytes16.rawValue
      words = prototype.stackWords
    }

    /// The thunk of `ckemon_hook_thunk`.
    ///
    /// - Parameter address: the hooked place, for the error.
    func thunk(isCallSite: Bool, at address: UInt) throws(HookError) -> UInt {
      guard words <= Int(CKEMON_STACK_WORDS) else {
        throw HookError(
          .unsupportedPrototype, at: address,
          "\(words) arguments are passed on the stack; a hook passes \(CKEMON_STACK_WORDS) on")
      }
      let thunk = ckemon_hook_thunk(
        isCallSite ? 1 : 0, Int32(width), Int32(vectors), Int32(words))
      guard let thunk else {
        throw HookError(.unsupportedProcessor, at: address, "hooks need an x86-64 Linux system")
      }
      return UInt(bitPattern: thunk)
    }
  }

  extension HookOptions {
    /// What a hook with these options needs.
    var shape: CallShape { prototype.map { CallShape($0) } ?? CallShape(vectors) }
  }
#endif
