// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonHooks
internal import KemonPlatform

/// Kemon's two hooks around the stop of kexts, as those around their start.
///
/// The hook at the beginning of OSKext::stop knows the kext. The one at the call of the stop routine asks the plugins: a
/// denied routine does not run, and the kext stays as it is; the kernel sees a replaced status. The functions serve
/// every kernel of the process: kexts of another one are left alone.
final class KextStopMonitor: Sendable {
  private let routine: KextRoutine
  // OSKext::start of the kernel whose kexts are looked at.
  private let start: UInt
  private let hooks = PosixLock<[Hook]>([])

  init(
    _ start: OSKextStart, layout: kernel_oskext_layout, records: KernelRecords
  ) throws(KernelError) {
    self.start = start.function
    routine = .stop(layout, records)
    // The context is not retained: close() takes the hooks out before the monitor goes away.
    let context = Unmanaged.passUnretained(self).toOpaque()
    let options = HookOptions(vectors: .integersOnly)
    let outer = try KernelFunction.named("OSKext_stop").attach(
      options,
      handlers: HookHandlers(
        pre: { context, frame in
          KextStopMonitor.with(context) { $0.willEnter(frame) }
          return Int32(CKEMON_PROCEED)
        },
        post: { _, frame in
          if frame.pointee.scratch.0 != 0 { Lane.current.leave() }
        }, context: context))
    hooks.withLock { $0.append(outer) }
    do {
      let inner = try KernelFunction.named("OSKext_call_stop").attach(
        options,
        handlers: HookHandlers(
          pre: { context, frame in KextStopMonitor.with(context) { $0.willStop(frame) } },
          post: { context, frame in KextStopMonitor.with(context) { $0.routine.didRun(frame) } },
          context: context))
      hooks.withLock { $0.append(inner) }
    } catch {
      try close()
      throw error
    }
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
    let all = hooks.withLock { $0 }
    do {
      for hook in all { try hook.detach() }
    } catch {
      throw KernelError("OSKext::stop", error)
    }
  }

  private func willEnter(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard let kext = UnsafePointer<kernel_oskext>(bitPattern: UInt(frame.pointee.rdi)),
      UInt(bitPattern: kernel_oskext_start_function(kext)) == start
    else { return }
    Lane.current.enter(kext)
    frame.pointee.scratch.0 = 1
  }

  private func willStop(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let kext = Lane.current.kexts.last,
      UInt(bitPattern: kernel_oskext_start_function(kext)) == start
    else { return Int32(CKEMON_PROCEED) }
    return routine.willRun(of: kext, frame)
  }

  /// Hands the monitor to a handler without touching its reference count.
  private static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (KextStopMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<KextStopMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
