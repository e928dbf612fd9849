// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks
internal import KemonPlatform

// Unchecked: immutable but for the hooks, which are behind a lock.
/// Kemon's hooks around operations on files.
///
/// An outer hook sees a system call begin and end. An inner one sits where names have become vnodes and nothing has
/// been checked or changed yet: it asks the plugins, and a denied operation goes no further. What comes out is told
/// when the outer function returns, and may be replaced there.
final class FilesMonitor: @unchecked Sendable {
  let files: FileSystem
  let records: KernelRecords
  private let state = PosixLock(State())

  private struct State {
    var hooks: [Hook] = []
    var hasLookups = false
  }
  /// What operations of the lane are known by.
  var owner: UnsafeRawPointer {
    UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
  }

  init(_ files: FileSystem, records: KernelRecords) {
    self.files = files
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

  /// Puts the hooks in; does nothing when exactly these are in.
  ///
  /// - Parameter lookups: also at every step along a path: many events.
  func attach(lookups: Bool = false) throws(KernelError) {
    try state.withLock { state throws(KernelError) in
      guard state.hooks.isEmpty || state.hasLookups != lookups else { return }
      try Self.detach(&state)
      var transaction = HookTransaction()
      for point in Self.points where lookups || !point.isLookup {
        // The context is not retained: detach() takes the hooks out before the monitor goes away.
        let handlers = HookHandlers(
          pre: point.pre, post: point.post, context: UnsafeMutableRawPointer(mutating: owner))
        let options = HookOptions(vectors: point.hasStackArguments ? .bytes16 : .integersOnly)
        transaction.attach(
          entry: try KernelFunction.named(point.function).code, options, handlers: handlers)
      }
      state.hooks = try Self.commit(transaction)
      state.hasLookups = lookups
    }
  }

  /// Takes the hooks out; returns after the last call has left.
  func detach() throws(KernelError) {
    try state.withLock { state throws(KernelError) in try Self.detach(&state) }
  }

  private static func detach(_ state: inout State) throws(KernelError) {
    guard !state.hooks.isEmpty else { return }
    var transaction = HookTransaction()
    for hook in state.hooks { transaction.detach(hook) }
    _ = try commit(transaction)
    state.hooks = []
  }

  private static func commit(_ transaction: HookTransaction) throws(KernelError) -> [Hook] {
    do {
      return try transaction.commit().hooks
    } catch {
      throw KernelError("the file layer", error)
    }
  }

  // MARK: Outer hooks

  /// Whether a call is about this monitor's files: the image's functions serve every kernel of the process.
  func isMine(_ context: UnsafePointer<kernel_vfs_context>?) -> Bool {
    context?.pointee.vc_filesystem == files.mount
  }

  func willOpen(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard let lookup = UnsafeMutablePointer<kernel_nameidata>(bitPattern: UInt(frame.pointee.rdi)),
      isMine(lookup.pointee.ni_context)
    else { return }
    let operation = Lane.current.files.begin(owner)
    operation.pointee.lookup = lookup
    operation.pointee.grant = UnsafeMutablePointer(bitPattern: UInt(frame.pointee.rsi))
    operation.pointee.attributes = UnsafeMutablePointer(bitPattern: UInt(frame.pointee.rdx))
    operation.pointee.mode =
      operation.pointee.attributes.map { UInt32($0.pointee.va_mode) } ?? 0
  }

  func didOpen(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard let lookup = UnsafeMutablePointer<kernel_nameidata>(bitPattern: UInt(frame.pointee.rdi)),
      isMine(lookup.pointee.ni_context)
    else { return }
    if let operation = Lane.current.files.current(owner), let opened = lookup.pointee.ni_vp {
      operation.pointee.take(opened)
    }
    finish(frame)
  }

  func willCall(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard isMine(UnsafePointer(bitPattern: UInt(frame.pointee.rdi))) else { return }
    _ = Lane.current.files.begin(owner)
  }

  func didCall(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard isMine(UnsafePointer(bitPattern: UInt(frame.pointee.rdi))) else { return }
    finish(frame)
  }

  func willClose(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard isMine(UnsafePointer(bitPattern: UInt(frame.pointee.rdi))),
      let node = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rdx))
    else { return }
    let lane = Lane.current
    let operation = lane.files.begin(owner)
    operation.pointee.number = lane.nextOperation()
    operation.pointee.kind = .close
    operation.pointee.take(node)
    operation.pointee.flags = frame.pointee.rcx & 0xFFFF_FFFF == 0 ? 0 : 1
    operation.pointee.path.fill { files.path(of: node, into: $0) }
  }

  /// Tells what came out, if anybody was asked, and lets the caller see a replaced result.
  private func finish(_ frame: UnsafeMutablePointer<HookFrame>) {
    let lane = Lane.current
    guard let operation = lane.files.current(owner) else { return }
    defer { lane.files.end() }
    guard operation.pointee.number != 0 else { return }
    let verdict = records.fileDone(operation, error: frame.pointee.number)
    guard let replacement = verdict.replacement else { return }
    let error = DarwinErrno.darwin(Int32(truncatingIfNeeded: replacement))
    // An open that failed has no file to give.
    if error == 0, operation.pointee.lookup != nil { return }
    frame.pointee.number = error
  }

  /// Hands the monitor to a handler without touching its reference count.
  static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (FilesMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<FilesMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
