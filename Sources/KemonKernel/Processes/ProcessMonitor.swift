// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks
internal import KemonPlatform

// Unchecked: immutable but for the hooks, which are behind a lock.
/// Kemon's hooks around processes and their images.
///
/// An exec is asked about where its arguments have come into the kernel and nothing has changed: at the return of
/// exec_extract_strings. Behind the point of no return it is asked about once more, where policies are; who denies
/// there lets the kernel kill the process.
final class ProcessMonitor: @unchecked Sendable {
  let processes: Processes
  let records: KernelRecords
  private let hooks = PosixLock([Hook]())

  /// What execs of the lane are known by.
  var owner: UnsafeRawPointer {
    UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
  }

  init(_ processes: Processes, records: KernelRecords) {
    self.processes = processes
    self.records = records
  }

  deinit {
    do {
      try detach()
    } catch {
      // Going on would leave jumps to an object that is gone.
      preconditionFailure("Kemon's hooks can not be taken out of the kernel image: \(error)")
    }
  }

  /// Puts the hooks in; does nothing when they are.
  func attach() throws(KernelError) {
    try hooks.withLock { hooks throws(KernelError) in
      guard hooks.isEmpty else { return }
      var transaction = HookTransaction()
      for point in Self.points {
        // The context is not retained: detach() takes the hooks out before the monitor goes away.
        let handlers = HookHandlers(
          pre: point.pre, post: point.post, context: UnsafeMutableRawPointer(mutating: owner))
        transaction.attach(
          entry: try KernelFunction.named(point.function).code,
          HookOptions(vectors: .integersOnly), handlers: handlers)
      }
      hooks = try Self.commit(transaction)
    }
  }

  /// Takes the hooks out; returns after the last call has left.
  func detach() throws(KernelError) {
    try hooks.withLock { hooks throws(KernelError) in
      guard !hooks.isEmpty else { return }
      var transaction = HookTransaction()
      for hook in hooks { transaction.detach(hook) }
      _ = try Self.commit(transaction)
      hooks = []
    }
  }

  private static func commit(_ transaction: HookTransaction) throws(KernelError) -> [Hook] {
    do {
      return try transaction.commit().hooks
    } catch {
      throw KernelError("processes", error)
    }
  }

  /// The process in a register, if it is one of this monitor's: the image's functions serve every kernel of the process.
  func process(_ word: UInt64) -> ModelProcess? {
    guard let process = UnsafePointer<kernel_proc>(bitPattern: UInt(word)),
      process.pointee.p_kernel == UnsafePointer(processes.pointer)
    else { return nil }
    return ModelProcess.of(process)
  }

  /// Hands the monitor to a handler without touching its reference count.
  static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (ProcessMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<ProcessMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
