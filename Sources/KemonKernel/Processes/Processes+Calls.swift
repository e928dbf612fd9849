// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// The system calls of processes.
extension Processes {
  /// Runs a closure in the kernel on behalf of a process.
  ///
  /// What ends the process meanwhile, on whatever thread, does so when the closure has returned.
  ///
  /// - Throws: ESRCH for a process that has ended, or is about to.
  func call<Result>(
    as process: ModelProcess, _ body: (Lane) throws(DarwinErrno) -> Result
  ) throws(DarwinErrno) -> Result {
    guard find(process.pid) === process, process.beginCall() else { throw .ESRCH }
    defer { leave(process) }
    let lane = Lane.current
    lane.process = process.identity
    return try body(lane)
  }

  // MARK: Fork

  /// Makes a child: the same image, credential, working directory and open files.
  ///
  /// - Parameter pid: its number; the next free one otherwise. EAGAIN when it is taken.
  public func fork(
    _ parent: ModelProcess, pid: Int32? = nil
  ) throws(DarwinErrno) -> ModelProcess {
    try call(as: parent) { lane throws(DarwinErrno) in
      let (error, made) = lane.processes.making(pid: pid) {
        var child: UnsafeMutablePointer<kernel_proc>?
        return fork1(parent.pointer, &child, 0)
      }
      guard let made else { throw error == 0 ? .EAGAIN : DarwinErrno(rawValue: error) }
      // A hook had the last word: the parent does not know of the child.
      if error != 0 { end(made, .exited(0)) }
      leave(made)
      guard error == 0 else {
        remove(made)
        throw DarwinErrno(rawValue: error)
      }
      return made
    }
  }

  // MARK: Exec

  /// Lets a process execute another image.
  ///
  /// When this returns the process runs the image, or has been killed: exec cannot fail behind the point of no return,
  /// see ``ModelProcess/end``.
  ///
  /// - Throws: why the process goes on as before.
  public func execute(
    _ path: String, _ arguments: [String], environment: [String] = [], as process: ModelProcess
  ) throws(DarwinErrno) {
    try call(as: process) { lane throws(DarwinErrno) in
      let image = try ImageParameters(path, arguments, environment, of: process)
      let error = lane.processes.with(image.pointer) {
        __mac_execve(process.pointer, image.pointer)
      }
      image.release()
      try DarwinErrno.check(error)
    }
  }

  /// Makes a child that executes an image.
  ///
  /// - Throws: why there is no such child; also what went wrong behind the point of no return.
  public func spawn(
    _ path: String, _ arguments: [String], environment: [String] = [], as parent: ModelProcess,
    pid: Int32? = nil
  ) throws(DarwinErrno) -> ModelProcess {
    try call(as: parent) { lane throws(DarwinErrno) in
      let image = try ImageParameters(path, arguments, environment, of: parent)
      let (error, made) = lane.processes.making(pid: pid) {
        var child: UnsafeMutablePointer<kernel_proc>?
        return lane.processes.with(image.pointer) {
          kernel_posix_spawn(parent.pointer, image.pointer, &child)
        }
      }
      image.release()
      if let made {
        leave(made)
        // A child that never ran its image is not waited for.
        if error != 0, !made.isAlive { remove(made) }
      }
      lane.process = parent.identity
      try DarwinErrno.check(error)
      guard let made else { throw .EAGAIN }
      return made
    }
  }

  // MARK: Exit

  /// Ends a process, as it says itself.
  public func exit(_ process: ModelProcess, status: Int32) throws(DarwinErrno) {
    try call(as: process) { _ in end(process, .exited(status)) }
  }

  /// Lets a signal end a process; one that is in a call of this table ends when that returns, on its thread.
  ///
  /// - Parameter signal: Darwin's number; SIGKILL by default.
  /// - Throws: ESRCH for a process that has ended, EPERM for one of another user.
  public func kill(
    _ process: ModelProcess, signal: Int32 = 9, by sender: ModelProcess
  ) throws(DarwinErrno) {
    try call(as: sender) { _ throws(DarwinErrno) in
      guard process.isAlive else { throw .ESRCH }
      let user = sender.context.credential.user
      guard user == 0 || user == process.context.credential.user else { throw .EPERM }
      end(process, .killed(by: signal))
    }
  }

  /// Takes one child that has ended out of the table.
  ///
  /// - Parameter pid: of one child; of any otherwise.
  /// - Returns: which one it was and how it ended; nil when none has ended yet.
  /// - Throws: ECHILD when there is no such child.
  public func wait(
    for pid: Int32? = nil, by parent: ModelProcess
  ) throws(DarwinErrno) -> (pid: Int32, end: ProcessEnd)? {
    try call(as: parent) { _ throws(DarwinErrno) in
      let wanted = children(of: parent).filter { pid == nil || $0.pid == pid }
      guard !wanted.isEmpty else { throw .ECHILD }
      for child in wanted {
        guard let end = child.end, remove(child) else { continue }
        return (child.pid, end)
      }
      return nil
    }
  }

  /// Ends a process: now, or when its calls have returned.
  func end(_ process: ModelProcess, _ end: ProcessEnd) {
    if process.decide(end) { bringToEnd(process) }
  }

  private func leave(_ process: ModelProcess) {
    if process.endCall() { bringToEnd(process) }
  }

  private func bringToEnd(_ process: ModelProcess) {
    let lane = Lane.current
    let before = lane.process
    lane.process = process.identity
    proc_exit(process.pointer)
    lane.process = before
  }

  // MARK: Tracing

  /// Lets a process trace another one: PT_ATTACH.
  public func trace(_ target: ModelProcess, by tracer: ModelProcess) throws(DarwinErrno) {
    try call(as: tracer) { _ throws(DarwinErrno) in
      guard target.isAlive else { throw .ESRCH }
      try DarwinErrno.check(ptrace_attach(tracer.pointer, target.pointer))
    }
  }

  /// Gives a process the task port of another one.
  ///
  /// - Returns: whether it got it; the kernel says no more than KERN_FAILURE.
  public func taskPort(of target: ModelProcess, for process: ModelProcess) -> Bool {
    let isGiven = try? call(as: process) { _ in
      target.isAlive && task_for_pid(process.pointer, target.pointer) == KERNEL_KERN_SUCCESS
    }
    return isGiven ?? false
  }

  /// The scope process; words: the process in the file layer, where to leave an errno.
  static let authorize: kernel_kauth_callback = {
    credential, context, action, target, error, word2, word3 in
    guard action == UInt32(KERNEL_KAUTH_PROCESS_CANTRACE), let credential,
      let target = UnsafeRawPointer(bitPattern: target),
      let suggestion = UnsafeMutablePointer<Int32>(bitPattern: error)
    else { return KERNEL_KAUTH_DENY }
    return Processes.with(context) { processes -> Int32 in
      guard let traced = processes.find(ProcessContext.of(process: target).process.pid),
        let tracer = Lane.current.process.flatMap({ processes.find($0.pid) })
      else {
        return FileSystem.authorizeProcess(
          credential, nil, action, UInt(bitPattern: target), error, word2, word3)
      }
      return cantrace(tracer.pointer, credential, traced.pointer, suggestion) != 0
        ? KERNEL_KAUTH_ALLOW : KERNEL_KAUTH_DENY
    }
  }
}
