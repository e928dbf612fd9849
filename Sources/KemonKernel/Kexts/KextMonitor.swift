// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonHooks
internal import KemonPlatform
internal import Synchronization

/// Kemon's two hooks around the start of kexts.
///
/// The hook at the beginning of OSKext::start knows the kext's path. The hook at the call of the start routine has its
/// arguments and its result: it asks the plugins before and after, does not run a denied routine, and lets the kernel
/// see a replaced status. As in the original the second hook is put in at the first start.
final class KextMonitor: Sendable {
  private let start: OSKextStart
  private let records: KernelRecords
  private let layout: kernel_oskext_layout
  private let routine: KextRoutine
  private let hooks = PosixLock(Hooks())
  private let isCallSiteHooked = Atomic<Bool>(false)

  private struct Hooks {
    var entry: Hook?
    var callSite: Hook?
    /// Why the call site could not be hooked.
    var failure: KernelError?
    var isClosed = false
  }

  init(
    _ start: OSKextStart, layout: kernel_oskext_layout, records: KernelRecords
  ) throws(KernelError) {
    self.start = start
    self.layout = layout
    self.records = records
    routine = .start(layout, records)
    // The context is not retained: close() takes the hooks out before the monitor goes away.
    let handlers = HookHandlers(
      pre: { context, frame in KextMonitor.with(context) { $0.willEnter(frame) } },
      post: { _, frame in
        if frame.pointee.scratch.0 != 0 { Lane.current.leave() }
      }, context: Unmanaged.passUnretained(self).toOpaque())
    let entry = try attach { function, extent throws(HookError) in
      try HookEngine.attach(
        entry: function, HookOptions(extent: extent, safety: .quiescent, isExclusive: true),
        handlers: handlers)
    }
    hooks.withLock { $0.entry = entry }
  }

  deinit {
    do {
      try close()
    } catch {
      // Going on would leave jumps to an object that is gone.
      preconditionFailure("Kemon's hooks can not be taken out of the kernel image: \(error)")
    }
  }

  /// Takes the hooks out; returns after the last call has left.
  func close() throws(KernelError) {
    let entry = hooks.withLock { hooks in
      hooks.isClosed = true
      return hooks.entry
    }
    do {
      try entry?.detach()
      // Behind the last call, which may have hooked the call site meanwhile.
      try hooks.withLock { $0.callSite }?.detach()
    } catch {
      throw KernelError("OSKext::start", error)
    }
  }

  /// Throws when the hooks have been taken out.
  func checkOpen() throws(KernelError) {
    if hooks.withLock({ $0.isClosed }) { throw Self.closed }
  }

  private static var closed: KernelError {
    KernelError(.closed, "the model has been closed: nobody would see its events")
  }

  /// Throws when the call site could not be hooked since the last check.
  func check() throws(KernelError) {
    if let failure = hooks.withLock({ $0.failure.take() }) { throw failure }
  }

  private func attach(
    _ body: (UnsafeRawPointer, FunctionExtent) throws(HookError) -> Hook
  ) throws(KernelError) -> Hook {
    guard let function = UnsafeRawPointer(bitPattern: start.function) else {
      throw KernelError(.unknownFunction, "OSKext::start has no address")
    }
    do {
      return try body(function, FunctionExtent(start: function, size: start.size))
    } catch {
      throw KernelError("OSKext::start", error)
    }
  }

  // MARK: At the beginning of OSKext::start

  private func willEnter(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    let lane = Lane.current
    guard let kext = UnsafePointer<kernel_oskext>(bitPattern: UInt(frame.pointee.rdi)) else {
      return Int32(CKEMON_PROCEED)
    }
    lane.enter(kext)
    frame.pointee.scratch.0 = 1
    if isCallSiteHooked.load(ordering: .acquiring) || hookCallSite(for: kext) {
      return Int32(CKEMON_PROCEED)
    }
    // A kext that nobody could watch is not started.
    frame.pointee.result = UInt64(KextReturn.internalError.rawValue)
    return Int32(CKEMON_SKIP)
  }

  private func hookCallSite(for kext: UnsafePointer<kernel_oskext>) -> Bool {
    let handlers = HookHandlers(
      pre: { context, frame in
        KextMonitor.with(context) { $0.routine.willRun(of: Lane.current.kexts.last, frame) }
      },
      post: { context, frame in KextMonitor.with(context) { $0.routine.didRun(frame) } },
      context: Unmanaged.passUnretained(self).toOpaque())
    do {
      let hook = try hooks.withLock { hooks throws(KernelError) in
        guard !hooks.isClosed else { throw Self.closed }
        // Quiescent: the kernel starts one kext at a time, and this one has not come to the call.
        let hook = try attach { function, extent throws(HookError) in
          try HookEngine.attach(
            callSite: function + Int(start.callSite - start.function),
            HookOptions(extent: extent, safety: .quiescent, isExclusive: true), handlers: handlers)
        }
        hooks.callSite = hook
        return hook
      }
      isCallSiteHooked.store(true, ordering: .releasing)
      let info = withUnsafePointer(to: layout) { kernel_oskext_kmod_info(kext, $0) }
      records.hookAttached(
        at: hook.address, in: "OSKext::start", for: info.map { KernelRecords.name(of: $0) } ?? "",
        listing: hook.replaced.map(\.description).joined(separator: "\n"))
      return true
    } catch {
      hooks.withLock { $0.failure = error }
      return false
    }
  }

  /// Hands the monitor to a handler without touching its reference count.
  private static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (KextMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<KextMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
