// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents

extension KernelRecords {
  /// What is told of an exec.
  enum ExecStage {
    /// It is about to happen: argv is known, and nothing has changed.
    case pre
    /// The old image is gone.
    case commit
    /// It has happened, or was refused.
    case post

    fileprivate var kind: EventKind {
      switch self {
      case .pre: EventKind(KEMON_KIND_PROCESS_EXEC_PRE)
      case .commit: EventKind(KEMON_KIND_PROCESS_EXEC_COMMIT)
      case .post: EventKind(KEMON_KIND_PROCESS_EXEC)
      }
    }
  }

  /// A process executes an image.
  ///
  /// - Parameters:
  ///   - error: Darwin's number.
  ///   - isLate: whether it failed behind the point of no return.
  @discardableResult
  func exec(
    _ operation: ExecOperation, _ stage: ExecStage, error: Int32 = 0, isLate: Bool = false
  ) -> Verdict {
    dispatch(stage.kind) { builder in
      builder.header.pointee.corr = operation.number
      builder.header.pointee.result = DarwinErrno.linux(error)
      if isLate { builder.header.pointee.flags |= UInt16(KEMON_EV_LATE) }
      guard let parameters = operation.parameters else { return }
      builder.setPayload(
        kemon_exec(
          dev: operation.device, ino: operation.inode,
          argc: UInt32(bitPattern: parameters.pointee.ip_argc),
          envc: UInt32(bitPattern: parameters.pointee.ip_envc), path: builder.path(operation.path),
          cwd: builder.path(operation.directory), argv: builder.arguments(of: parameters)))
    }
  }

  /// The original's listener hears of an exec; what it is not told it finds on the thread's stack, if it does.
  ///
  /// - Parameter parameters: nil when they were not found.
  func execHeard(
    _ path: UnsafeRawBufferPointer, _ parameters: UnsafeMutablePointer<kernel_image_params>?
  ) {
    dispatch(EventKind(KEMON_KIND_PROCESS_EXEC)) { builder in
      builder.setPayload(
        kemon_exec(
          dev: 0, ino: 0, argc: parameters.map { UInt32(bitPattern: $0.pointee.ip_argc) } ?? 0,
          envc: 0, path: builder.text(path), cwd: kemon_str(),
          argv: parameters.map { builder.arguments(of: $0) } ?? kemon_str()))
    }
  }

  /// A process is about to make a child, or has.
  ///
  /// - Parameters:
  ///   - child: nil before, and when there is none.
  ///   - error: Darwin's number.
  func fork(
    _ kind: Int, _ operation: UInt64, _ child: ModelProcess? = nil, error: Int32 = 0
  ) -> Verdict {
    process(kind, operation, child, method: 0, error: error)
  }

  /// A process is about to trace another one, or does.
  func trace(
    _ kind: Int, _ operation: UInt64, _ target: ModelProcess, method: UInt32, error: Int32 = 0
  ) -> Verdict {
    process(kind, operation, target, method: method, error: error)
  }

  private func process(
    _ kind: Int, _ operation: UInt64, _ process: ModelProcess?, method: UInt32, error: Int32
  ) -> Verdict {
    let identity = process?.identity
    return dispatch(EventKind(kind)) { builder in
      builder.header.pointee.corr = operation
      builder.header.pointee.result = DarwinErrno.linux(error)
      builder.setPayload(
        kemon_process(
          target_start_ns: identity?.startNanoseconds ?? 0, target_pid: identity?.pid ?? 0,
          method: method, target_comm: builder.text(identity?.comm),
          target_exe: builder.text(identity?.exe)))
    }
  }

  /// A process ends.
  func exit(_ process: ModelProcess) {
    let lane = Lane.current
    let before = lane.process
    lane.process = process.identity
    defer { lane.process = before }
    let end = process.withState { $0.end } ?? .exited(0)
    dispatch(EventKind(KEMON_KIND_PROCESS_EXIT)) { builder in
      builder.setPayload(
        kemon_process_exit(
          status: end.status, signal: end.signal, reason_namespace: end.reasonNamespace,
          reason: end.reason))
    }
  }
}

extension RecordBuilder {
  /// Puts the arguments of an exec into the record; absent when it has none.
  fileprivate mutating func arguments(
    of parameters: UnsafeMutablePointer<kernel_image_params>
  ) -> kemon_str {
    let bytes = parameters.pointee.argumentBytes
    return bytes.isEmpty ? kemon_str() : text(bytes)
  }
}
