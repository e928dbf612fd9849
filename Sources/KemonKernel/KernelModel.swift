// SPDX-License-Identifier: Apache-2.0

public import KemonBus
internal import KemonPlatform

/// A macOS kernel in this process: real machine code with Kemon's hooks in it.
///
/// ```swift
/// let model = try KernelModel(release: session.release, dispatcher: dispatcher)
/// let result = try model.run(session)
/// try model.close()
/// ```
///
/// The code exists once in a process: one model at a time can have its hooks in a release's functions.
public final class KernelModel: Sendable {
  /// The kernel that it is.
  public let release: KernelRelease

  /// Its kexts.
  public let kexts: Kexts
  /// Its MAC policies.
  public let mac: MACFramework
  /// Its sockets.
  public let network: NetworkStack

  /// Its authorization: who is asked for permission.
  public let kauth: KauthScopes
  /// Its files.
  public let files: FileSystem
  /// Its processes.
  public let processes: Processes

  private let isHooked: Bool
  let records: KernelRecords
  let filesMonitor: FilesMonitor
  let kauthMonitor: KauthMonitor
  let processMonitor: ProcessMonitor
  // One session at a time. Handlers of plugins run inside, none can take it.
  private let sessionLock = PosixLock(())

  /// Puts Kemon's hooks into the kernel image.
  ///
  /// - Parameters:
  ///   - release: which kernel to be.
  ///   - dispatcher: gets every event of the model.
  ///   - isHooked: false for a kernel without Kemon, whose own log is all that there is: to measure what hooks cost.
  /// - Throws: when the image is not what Kemon knows, or another model has its hooks there.
  public convenience init(
    release: KernelRelease = .macOS10_13_6, dispatcher: Dispatcher, isHooked: Bool = true
  ) throws(KernelError) {
    try self.init(
      release: release, dispatcher: dispatcher, isHooked: isHooked, kextChecks: nil)
  }

  init(
    release: KernelRelease, dispatcher: Dispatcher, isHooked: Bool = true, kextChecks: KextChecks?
  ) throws(KernelError) {
    self.release = release
    self.isHooked = isHooked
    records = KernelRecords(dispatcher: dispatcher)
    mac = try MACFramework(release: release, records: records)
    kexts = try Kexts(
      release: release, records: records, checks: kextChecks ?? KextChecks(asking: mac))
    kauth = KauthScopes()
    files = FileSystem(release: release, kauth: kauth, policies: PolicyCheck(asking: mac))
    filesMonitor = FilesMonitor(files, records: records)
    kauthMonitor = KauthMonitor(kauth, records: records)
    processes = Processes(files: files, policies: ProcessPolicies(asking: mac))
    processMonitor = ProcessMonitor(processes, records: records)
    try filesMonitor.attach()
    try processMonitor.attach()
    network = try NetworkStack(
      release: release, records: records, policies: SocketPolicies(asking: mac))
    if !isHooked { try close() }
  }

  deinit {
    do {
      try close()
    } catch {
      // Going on would leave jumps to an object that is gone.
      preconditionFailure("Kemon's hooks can not be taken out of the kernel image: \(error)")
    }
  }

  /// Lets the session happen, and returns when it is over.
  ///
  /// Events happen on the calling thread; another thread that calls this meanwhile waits. The session brings its own
  /// kexts: those of a session before are gone, as after a new start of the machine.
  ///
  /// - Throws: when the session needs another release, the model has been closed, or a hook that is put in on the way
  ///   was refused.
  public func run(_ session: Session) throws(KernelError) -> SessionResult {
    guard session.release == release else {
      throw KernelError(
        .wrongRelease,
        "session \(session.name) needs \(session.release.name), the model is \(release.name)")
    }
    return try restarted(with: session.kexts, on: session.machine) {
      let lane = Lane.current
      defer { lane.process = nil }
      let objects = SessionObjects()
      for process in session.processes { objects.keep(processes.adopt(process), as: process) }
      let steps = session.steps.map { step in
        StepResult(step: step, outcome: perform(step, of: session, on: lane, objects))
      }
      return SessionResult(steps: steps, kexts: kexts.outcomes)
    }
  }

  private func perform(
    _ step: Session.Step, of session: Session, on lane: Lane, _ objects: SessionObjects
  ) -> StepOutcome {
    guard let actor = objects.process(step.process), actor.isAlive else {
      return .result(DarwinErrno.ESRCH.rawValue)
    }
    lane.process = actor.identity
    return step.action.perform(
      in: StepContext(model: self, session: session, actor: actor, objects: objects))
  }

  /// Runs a closure on a machine that has just been started and that is nobody else's meanwhile.
  ///
  /// - Throws: when the model has been closed, or a hook that is put in on the way was refused.
  func restarted<Result>(
    with kexts: [Session.Kext], on machine: Session.Machine = Session.Machine(),
    _ body: () -> Result
  ) throws(KernelError) -> Result {
    try sessionLock.withLock { _ throws(KernelError) in
      if isHooked { try self.kexts.monitor.checkOpen() }
      self.kexts.declare(kexts, on: machine)
      mac.restart(with: kexts)
      kauthMonitor.close()
      kauth.removeListeners()
      files.reset()
      processes.restart()
      if isHooked { try filesMonitor.attach() }
      let result = body()
      network.reset()
      try self.kexts.monitor.check()
      return result
    }
  }

  /// Takes the hooks out, and returns after the last call has left.
  ///
  /// Done at the end of the model's life otherwise.
  public func close() throws(KernelError) {
    kauthMonitor.close()
    try processMonitor.detach()
    try filesMonitor.detach()
    try network.close()
    try kexts.close()
    try mac.close()
  }
}
