// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks

extension ProcessMonitor {
  // MARK: Fork

  func willFork(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard process(frame.pointee.rdi) != nil else { return Int32(CKEMON_PROCEED) }
    // Kept for post: the operation.
    let operation = Lane.current.nextOperation()
    frame.pointee.scratch.0 = operation
    let verdict = records.fork(KEMON_KIND_PROCESS_FORK_PRE, operation)
    guard verdict.isDenied else { return Int32(CKEMON_PROCEED) }
    frame.pointee.number = DarwinErrno.darwin(verdict.error)
    return Int32(CKEMON_SKIP)
  }

  func didFork(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard frame.pointee.scratch.0 != 0 else { return }
    let error = frame.pointee.number
    let made = UnsafePointer<UnsafeMutablePointer<kernel_proc>?>(
      bitPattern: UInt(frame.pointee.rsi))?.pointee
    let child = error == 0 ? made.map { ModelProcess.of($0) } : nil
    let verdict = records.fork(
      KEMON_KIND_PROCESS_FORK, frame.pointee.scratch.0, child, error: error)
    // A fork that failed has no child to give.
    guard let replacement = verdict.replacement, error == 0 || replacement != 0 else { return }
    frame.pointee.number = DarwinErrno.darwin(Int32(truncatingIfNeeded: replacement))
  }

  // MARK: Exec

  func willExecute(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard process(frame.pointee.rdi) != nil else { return }
    let lane = Lane.current.processes
    lane.begin(owner).parameters = UnsafeMutablePointer(bitPattern: UInt(frame.pointee.rsi))
  }

  /// The arguments are in the kernel, and everything is as it was: whoever denies now has prevented it.
  func didExtract(_ frame: UnsafeMutablePointer<HookFrame>) {
    let lane = Lane.current
    guard frame.pointee.number == 0, let operation = lane.processes.current(owner),
      let parameters = operation.parameters,
      UInt(bitPattern: parameters) == UInt(frame.pointee.rdi),
      let node = parameters.pointee.ip_scriptvp ?? parameters.pointee.ip_vp
    else { return }
    operation.number = lane.nextOperation()
    operation.device = UInt64(node.pointee.v_fsid)
    operation.inode = node.pointee.v_fileid
    let files = processes.files
    operation.path.fill { files.path(of: Vnode.of(node), into: $0) }
    if let caller = parameters.pointee.ip_vfs_context {
      let directory = ProcessContext.of(caller).workingDirectory
      operation.directory.fill { files.path(of: directory, into: $0) }
    }
    let verdict = records.exec(operation, .pre)
    if verdict.isDenied { frame.pointee.number = DarwinErrno.darwin(verdict.error) }
  }

  /// The old image is gone: a denial is left where policies leave theirs, and kills.
  func didCommit(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard frame.pointee.number == 0, let operation = Lane.current.processes.current(owner),
      operation.number != 0, let parameters = operation.parameters,
      UInt(bitPattern: parameters) == UInt(frame.pointee.rdi)
    else { return }
    let verdict = records.exec(operation, .commit)
    if verdict.isDenied, parameters.pointee.ip_mac_return == 0 {
      parameters.pointee.ip_mac_return = DarwinErrno.darwin(verdict.error)
    }
  }

  func didExecute(_ frame: UnsafeMutablePointer<HookFrame>, isSpawn: Bool = false) {
    guard process(frame.pointee.rdi) != nil else { return }
    let lane = Lane.current.processes
    guard let operation = lane.current(owner) else { return }
    defer { lane.end() }
    guard operation.number != 0, let parameters = operation.parameters else { return }
    let late = parameters.pointee.ip_late_error
    let error = late == 0 ? frame.pointee.number : late
    let verdict = records.exec(operation, .post, error: error, isLate: late != 0)
    // Behind an exec there is nobody who could be told something else, and one that failed has no image to give.
    guard let replacement = verdict.replacement, isSpawn || frame.pointee.number != 0,
      error == 0 || replacement != 0
    else { return }
    frame.pointee.number = DarwinErrno.darwin(Int32(truncatingIfNeeded: replacement))
  }

  // MARK: Tracing

  func willTrace(_ frame: UnsafeMutablePointer<HookFrame>, method: UInt32) -> Int32 {
    guard process(frame.pointee.rdi) != nil, let target = process(frame.pointee.rsi) else {
      return Int32(CKEMON_PROCEED)
    }
    // Kept for post: the operation in scratch 0, the errno of a denial in scratch 1.
    let operation = Lane.current.nextOperation()
    frame.pointee.scratch.0 = operation
    let verdict = records.trace(KEMON_KIND_PROCESS_TRACE_PRE, operation, target, method: method)
    guard verdict.isDenied else { return Int32(CKEMON_PROCEED) }
    let error = DarwinErrno.darwin(verdict.error)
    frame.pointee.scratch.1 = UInt64(UInt32(bitPattern: error))
    frame.pointee.number = method == TraceMethod.ptrace ? error : KERNEL_KERN_FAILURE
    return Int32(CKEMON_SKIP)
  }

  func didTrace(_ frame: UnsafeMutablePointer<HookFrame>, method: UInt32) {
    guard frame.pointee.scratch.0 != 0, let target = process(frame.pointee.rsi) else { return }
    let denial = Int32(truncatingIfNeeded: frame.pointee.scratch.1)
    let isPtrace = method == TraceMethod.ptrace
    // A kern_return_t is no errno: whatever it is, the operation failed.
    let failure = isPtrace || frame.pointee.number == 0 ? frame.pointee.number : KERNEL_EPERM
    let verdict = records.trace(
      KEMON_KIND_PROCESS_TRACE, frame.pointee.scratch.0, target, method: method,
      error: denial == 0 ? failure : denial)
    guard let replacement = verdict.replacement else { return }
    let error = DarwinErrno.darwin(Int32(truncatingIfNeeded: replacement))
    frame.pointee.number = isPtrace || error == 0 ? error : KERNEL_KERN_FAILURE
  }
}
