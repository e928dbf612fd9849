// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks
internal import KemonPlatform
internal import Synchronization

/// Kemon's hooks at the beginning of mac_policy_register and mac_policy_unregister.
///
/// The functions exist once in a process, and so several kernels of it may have hooks there: each looks only at calls of
/// threads that are in its own.
final class MACMonitor: Sendable {
  private let core: MACCore
  private let hooks = PosixLock<[Hook]>([])

  init(_ core: MACCore) throws(KernelError) {
    self.core = core
    // The context is not retained: close() takes the hooks out before the monitor goes away.
    let context = Unmanaged.passUnretained(self).toOpaque()
    let options = HookOptions(vectors: .integersOnly)
    let register = try KernelFunction.named("mac_policy_register").attach(
      options,
      handlers: HookHandlers(
        pre: { context, frame in MACMonitor.with(context) { $0.willRegister(frame) } },
        post: { context, frame in MACMonitor.with(context) { $0.didRegister(frame) } },
        context: context))
    hooks.withLock { $0.append(register) }
    do {
      let unregister = try KernelFunction.named("mac_policy_unregister").attach(
        options,
        handlers: HookHandlers(
          pre: { context, frame in MACMonitor.with(context) { $0.willUnregister(frame) } },
          post: { context, frame in MACMonitor.with(context) { $0.didUnregister(frame) } },
          context: context))
      hooks.withLock { $0.append(unregister) }
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
      throw KernelError("mac_policy_register", error)
    }
  }

  // MARK: Registration

  // What pre remembers for post: the number of the operation in scratch 0, the policy in scratch 1, and whether it is
  // watched since this call in scratch 2.

  private func willRegister(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard core.isWatching, let conf = Self.conf(frame.pointee.rdi) else {
      return Int32(CKEMON_PROCEED)
    }
    let corr = core.records.nextMACOperation()
    frame.pointee.scratch.0 = corr
    frame.pointee.scratch.1 = frame.pointee.rdi
    let verdict = core.records.policy(
      KEMON_KIND_MAC_POLICY_REGISTER_PRE, core.describe(conf), opsVersion: core.opsVersion,
      corr: corr)
    guard verdict.isDenied else {
      frame.pointee.scratch.2 = core.watchIfWanted(conf) ? 1 : 0
      return Int32(CKEMON_PROCEED)
    }
    switch core.blocking {
    case .skip:
      let error = verdict.error == Verdict.defaultError ? Self.exists : verdict.error
      frame.pointee.number = DarwinErrno.darwin(error)
      return Int32(CKEMON_SKIP)
    case .rename:
      conf.pointee.mpc_name = Self.takenName
      return Int32(CKEMON_PROCEED)
    }
  }

  private func didRegister(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard frame.pointee.scratch.0 != 0, let conf = Self.conf(frame.pointee.scratch.1) else {
      return
    }
    let status = frame.pointee.number
    if status != 0, frame.pointee.scratch.2 != 0 { core.unwatch(conf) }
    report(KEMON_KIND_MAC_POLICY_REGISTER, core.describe(conf), status, frame)
  }

  // MARK: Unregistration

  private func willUnregister(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    let handle = UInt32(truncatingIfNeeded: frame.pointee.rdi)
    guard core.isWatching, let conf = core.policy(handle) else { return Int32(CKEMON_PROCEED) }
    let corr = core.records.nextMACOperation()
    frame.pointee.scratch.0 = corr
    frame.pointee.scratch.1 = UInt64(UInt(bitPattern: conf))
    let verdict = core.records.policy(
      KEMON_KIND_MAC_POLICY_UNREGISTER_PRE, core.describe(conf, at: Int(handle)),
      opsVersion: core.opsVersion, corr: corr)
    guard verdict.isDenied else { return Int32(CKEMON_PROCEED) }
    frame.pointee.number = DarwinErrno.darwin(verdict.error)
    return Int32(CKEMON_SKIP)
  }

  private func didUnregister(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard frame.pointee.scratch.0 != 0, let conf = Self.conf(frame.pointee.scratch.1) else {
      return
    }
    let status = frame.pointee.number
    report(KEMON_KIND_MAC_POLICY_UNREGISTER, core.describe(conf), status, frame)
    if status == 0 { core.forget(conf, at: UInt32(truncatingIfNeeded: frame.pointee.rdi)) }
  }

  // MARK: Both

  private func report(
    _ kind: Int, _ policy: MACPolicyDescription, _ status: Int32,
    _ frame: UnsafeMutablePointer<HookFrame>
  ) {
    let verdict = core.records.policy(
      kind, policy, opsVersion: core.opsVersion, status: status, corr: frame.pointee.scratch.0)
    if let replacement = verdict.replacement {
      frame.pointee.number = DarwinErrno.darwin(Int32(truncatingIfNeeded: replacement))
    }
  }

  /// EEXIST, in Linux' numbers as in verdicts: what callers get when a plugin gives no errno of its own.
  private static let exists: Int32 = 17

  /// The name that is always taken; its memory is never freed, as the caller's structure keeps it.
  private static var takenName: UnsafePointer<CChar> {
    let name: StaticString = "AMFI"
    return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private static func conf(_ word: UInt64) -> UnsafeMutablePointer<mac_policy_conf>? {
    UnsafeMutablePointer(bitPattern: UInt(word))
  }

  /// Hands the monitor to a handler without touching its reference count.
  private static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (MACMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<MACMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
