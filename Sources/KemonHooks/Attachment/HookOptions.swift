// SPDX-License-Identifier: Apache-2.0

/// What the caller knows of other threads while code is changed.
public enum PatchSafety: Sendable {
  /// Other threads may be anywhere: they are stopped for an instant where that is needed.
  ///
  /// Refused where a thread could be inside a call that returns between replaced instructions.
  case live
  /// No other thread is inside the replaced instructions, or in a call that one of them makes. Threads may arrive.
  case quiescent
}

/// How much of each vector register a hook keeps while handlers run.
public enum VectorWidth: Int, Sendable, CaseIterable {
  /// Nothing, and no stack arguments: for functions that take up to six integers or pointers and return such.
  case integersOnly = 0
  /// 16 bytes: `float`, `double`, `__m128`.
  case bytes16 = 16
  /// 32 bytes, where the processor has them: also `__m256`.
  case bytes32 = 32
  /// 64 bytes, where the processor has them: also `__m512`.
  case bytes64 = 64
}

/// How to put a hook in.
public struct HookOptions: Sendable {
  /// Where the function's code ends; nil to read it from the unwind information or the symbols.
  public var extent: FunctionExtent?
  /// What is known of other threads.
  public var safety: PatchSafety
  /// The place among the hooks of one function: lower numbers come earlier before the call, and later after it.
  public var order: Int
  /// The function's vector arguments and results; the first hook of a function decides.
  public var vectors: VectorWidth
  /// The function's prototype, when it is known.
  ///
  /// Then no more is kept than it names, which is faster, and ``vectors`` does not count. As with these, the first hook
  /// of a function decides.
  public var prototype: HookPrototype?
  /// Whether to refuse a place that is hooked already; hooks that ask for less may still join later.
  public var isExclusive: Bool
  /// Whether a function may be hooked by a breakpoint (`int3`) when there is no other way.
  ///
  /// Only for processes in which no thread that calls the function ever blocks SIGTRAP, as the system ends the process
  /// then; `posix_spawn` and others block all signals for an instant. Each call takes some microseconds. Breakpoints of
  /// others, a debugger's for instance, are passed on to the handler that was set for SIGTRAP before.
  public var allowsTraps: Bool

  /// Chooses what fits nearly every function.
  public init(
    extent: FunctionExtent? = nil, safety: PatchSafety = .live, order: Int = 0,
    vectors: VectorWidth = .bytes32, isExclusive: Bool = false, allowsTraps: Bool = false,
    prototype: HookPrototype? = nil
  ) {
    self.extent = extent
    self.safety = safety
    self.order = order
    self.vectors = vectors
    self.isExclusive = isExclusive
    self.allowsTraps = allowsTraps
    self.prototype = prototype
  }
}
