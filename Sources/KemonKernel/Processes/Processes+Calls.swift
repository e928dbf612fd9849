// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// The system calls of processes.
extension Processes {
  /// Says on whose behalf the thread is in the kernel.
  ///
  /// - Throws: ESRCH for a process that has ended.
  @discardableResult
  private func enter(as process: ModelProcess) throws(DarwinErrno) -> Lane {
    guard process.isAlive, find(process.pid) === process else { throw .ESRCH }
    let lane = Lane.current
    lane.process = process.identity
    return lane
  }

  // MARK: Fork

  /// Makes a child: the same image, credential, working directory and open files.
  ///
  /// - Parameter pid: its number; the next free one otherwise. EAGAIN when it is taken.
  public func fork(
    _ parent: ModelProcess, pid: Int32? = nil
  ) throws(DarwinErrno) -> ModelProcess {
    let lane = try enter(as: parent)
    lane.processes.wantedPID = pid
    defer { lane.processes.wantedPID = nil }
    var child: UnsafeMutablePointer<kernel_proc>?
    let error = fork1(parent.pointer, &child, 0)
    let made = child.map { ModelProcess.of($0) }
    guard error == 0 else {
      // A hook had the last word: the parent does not know of the child.
      if let made { end(made, .exited(0), isKept: false) }
      throw DarwinErrno(rawValue: error)
    }
    guard let made else { throw .EAGAIN }
    return made
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
    let lane = try enter(as: process)
    let image = try ImageParameters(path, arguments, environment, of: process)
    let error = lane.processes.with(image.pointer) { __mac_execve(process.pointer, image.pointer) }
    image.release()
    finish(process)
    try DarwinErrno.check(error)
  }

  /// Makes a child that executes an image.
  ///
  /// - Throws: why there is no such child; also what went wrong behind the point of no return.
  public func spawn(
    _ path: String, _ arguments: [String], environment: [String] = [], as parent: ModelProcess,
    pid: Int32? = nil
  ) throws(DarwinErrno) -> ModelProcess {
    let lane = try enter(as: parent)
    let image = try ImageParameters(path, arguments, environment, of: parent)
    lane.processes.wantedPID = pid
    var child: UnsafeMutablePointer<kernel_proc>?
    let error = lane.processes.with(image.pointer) {
      kernel_posix_spawn(parent.pointer, image.pointer, &child)
    }
    lane.processes.wantedPID = nil
    image.release()
    let made = child.map { ModelProcess.of($0) }
    if let made {
      finish(made)
      // A child that never ran its image is not waited for.
      if error != 0, !made.isAlive { remove(made) }
    }
    lane.process = parent.identity
    try DarwinErrno.check(error)
    guard let made else { throw .EAGAIN }
    return made
  }

  // MARK: Exit

  /// Ends a process, as it says itself.
  public func exit(_ process: ModelProcess, status: Int32) throws(DarwinErrno) {
    try enter(as: process)
    end(process, .exited(status))
  }

  /// Lets a signal end a process.
  ///
  /// - Parameter signal: Darwin's number; SIGKILL by default.
  /// - Throws: ESRCH for a process that has ended, EPERM for one of another user.
  public func kill(
    _ process: ModelProcess, signal: Int32 = 9, by sender: ModelProcess
  ) throws(DarwinErrno) {
    try enter(as: sender)
    guard process.isAlive else { throw .ESRCH }
    let user = sender.context.credential.user
    guard user == 0 || user == process.context.credential.user else { throw .EPERM }
    end(process, .killed(by: signal))
  }

  /// Takes one child that has ended out of the table.
  ///
  /// - Parameter pid: of one child; of any otherwise.
  /// - Returns: which one it was and how it ended; nil when none has ended yet.
  /// - Throws: ECHILD when there is no such child.
  public func wait(
    for pid: Int32? = nil, by parent: ModelProcess
  ) throws(DarwinErrno) -> (pid: Int32, end: ProcessEnd)? {
    try enter(as: parent)
    let wanted = children(of: parent).filter { pid == nil || $0.pid == pid }
    guard !wanted.isEmpty else { throw .ECHILD }
    for child in wanted {
      guard let end = child.end, remove(child) else { continue }
      return (child.pid, end)
    }
    return nil
  }

  /// Ends a process for which that has been decided while it was in the kernel.
  func finish(_ process: ModelProcess) {
    if let end = process.withState({ $0.isZombie ? nil : $0.end }) { bringToEnd(process, end) }
  }

  /// Ends a process.
  ///
  /// - Parameter isKept: false to leave no zombie.
  func end(_ process: ModelProcess, _ end: ProcessEnd, isKept: Bool = true) {
    guard process.decide(end) else { return }
    bringToEnd(process, end)
    if !isKept { remove(process) }
  }

  private func bringToEnd(_ process: ModelProcess, _ end: ProcessEnd) {
    let lane = Lane.current
    let before = lane.process
    lane.process = process.identity
    proc_exit(process.pointer)
    lane.process = before
  }

  // MARK: Tracing

  /// Lets a process trace another one: PT_ATTACH.
  public func trace(_ target: ModelProcess, by tracer: ModelProcess) throws(DarwinErrno) {
    try enter(as: tracer)
    guard target.isAlive else { throw .ESRCH }
    try DarwinErrno.check(ptrace_attach(tracer.pointer, target.pointer))
  }

  /// Gives a process the task port of another one.
  ///
  /// - Returns: whether it got it; the kernel says no more than KERN_FAILURE.
  public func taskPort(of target: ModelProcess, for process: ModelProcess) -> Bool {
    guard (try? enter(as: process)) != nil, target.isAlive else { return false }
    return task_for_pid(process.pointer, target.pointer) == KERNEL_KERN_SUCCESS
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
