// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  internal import CFFI
  internal import KemonFFI
  internal import Glibc
  internal import KemonPlatform

  /// A function made by libffi that calls a handler; it lives for ever.
  struct DynamicClosure {
    /// What the function needs when it is called.
    private final class Context: Sendable {
      let described: DescribedCall
      let handler: @Sendable (inout DynamicCall) -> Void
      /// Set when the function takes another's place, before the first call arrives.
      nonisolated(unsafe) let original: UnsafeMutablePointer<UInt>

      init(_ described: DescribedCall, _ handler: @escaping @Sendable (inout DynamicCall) -> Void) {
        self.described = described
        self.handler = handler
        original = .allocate(capacity: 1)
        original.initialize(to: 0)
      }
    }

    /// Its first byte.
    let code: UnsafeRawPointer
    /// Where the address of the function as it was goes.
    let original: UnsafeMutablePointer<UInt>

    // libffi's own memory for closures is writable and executable.
    private static let slab: PosixLock<CodeSlab?> = {
      pthread_atfork(
        { DynamicClosure.slab.beforeFork() }, { DynamicClosure.slab.afterFork() },
        { DynamicClosure.slab.afterFork() })
      return PosixLock(nil)
    }()

    /// - Throws: ``HookError/Code-swift.enum/unsupportedPrototype`` when libffi refuses, or what is thrown without memory.
    init(
      _ described: DescribedCall, near function: UnsafeRawPointer,
      _ handler: @escaping @Sendable (inout DynamicCall) -> Void
    ) throws(HookError) {
      let size = MemoryLayout<ffi_closure>.size
      let address = UInt(bitPattern: function)
      let context = Context(described, handler)
      let place = try Self.slab.withLock { slab throws(HookError) in
        if (slab?.room ?? 0) < size { slab = try CodeSlab(near: address, in: try MemoryMap()) }
        guard var current = slab else {
          throw HookError(.outOfReach, at: address, "no memory for a closure")
        }
        var closure = ffi_closure()
        let status = ffi_prep_closure_loc(
          &closure, described.interface.cif,
          { _, result, arguments, context in
            guard let result, let arguments, let context else { return }
            Unmanaged<Context>.fromOpaque(context)._withUnsafeGuaranteedRef { context in
              var call = DynamicCall(
                ending: .pending, described: context.described, arguments: arguments,
                result: result, original: cffi_read(context.original))
              context.handler(&call)
            }
          }, Unmanaged.passUnretained(context).toOpaque(),
          UnsafeMutableRawPointer(bitPattern: current.nextSlot))
        guard status == FFI_OK else {
          throw HookError(
            .unsupportedPrototype, at: address,
            "\(described.prototype): libffi can not make such a function")
        }
        let place = current.nextSlot
        withUnsafeBytes(of: &closure) { current.fill(Array($0)) }
        slab = current
        return place
      }
      guard let code = UnsafeRawPointer(bitPattern: place) else {
        preconditionFailure("a closure at address 0")
      }
      self.code = code
      original = context.original
      _ = Unmanaged.passRetained(context)
    }
  }
#endif
