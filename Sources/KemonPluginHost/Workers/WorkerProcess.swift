// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonBus
import KemonPlatform
import KemonText
import Synchronization

// Unchecked: constants; the control socket is behind a lock, `status` is atomic.
/// One process of a worker, from its start to its end, and the ways to it.
final class WorkerProcess: @unchecked Sendable {
  /// How the end of a process is described.
  enum End: Equatable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)

    var description: String {
      switch self {
      case .status(let status): "ended with status \(status)"
      case .signal(let signal):
        "was ended by signal \(signal) (\(strsignal(signal).map { String(cString: $0) } ?? "?"))"
      }
    }
  }

  /// What a process is started with.
  struct Plan {
    let program: WorkerProgram
    /// What the worker becomes when the plugin is a program.
    let command: WorkerCommand?
    /// The sealed file of the plugin.
    let image: SealedImage
    let page: WorkerPage
    let transport: WorkerTransport
    let lanes: Int
  }

  let pid: pid_t
  let lanes: [any WorkerLane]
  let feed: any WorkerFeed
  private let pidfd: Int32
  private let control: PosixLock<WorkerControl>
  private let pump: WorkerPump

  /// Starts a process; the kernel ends it when the calling thread ends.
  ///
  /// - Parameters:
  ///   - output: takes whole lines that it writes.
  ///   - log: takes lines that it logs.
  init(
    _ plan: Plan, named name: String, output: any OutputSink, log: any LogSink
  ) throws(WorkerFailure) {
    let null = try OwnedDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null")
    let written = try DescriptorPair.pipe()
    let logged = try DescriptorPair.pipe()
    let sockets = try DescriptorPair.sockets(SOCK_STREAM)
    let channels = try WorkerChannels(plan.transport, lanes: plan.lanes)
    let far = [
      null.number, written.far.number, logged.far.number, sockets.far.number,
      plan.page.descriptor, plan.image.descriptor,
    ]
    pid = try plan.program.start(plan.command, far + channels.descriptors)
    pidfd = ckemon_pidfd_open(pid)
    lanes = channels.lanes
    feed = channels.feed
    control = PosixLock(WorkerControl(descriptor: sockets.near.release(), process: pidfd))
    pump = WorkerPump(
      output: written.near.release(), log: logged.near.release(),
      process: fcntl(pidfd, F_DUPFD_CLOEXEC, 0), name: name, to: output, log)
    guard pidfd >= 0 else {
      _ = Glibc.kill(pid, SIGKILL)
      _ = reap()
      throw WorkerFailure("the process cannot be watched: \(describe(errno: -pidfd))")
    }
    channels.watch(pid)
  }

  deinit {
    if pidfd >= 0 { close(pidfd) }
    control.withLock { _ = close($0.descriptor) }
  }

  // MARK: Talking

  /// Sends a request, behind what belongs to it, and waits for its answer.
  ///
  /// - Throws: ``WorkerFailure``: what the worker says, or that it says nothing.
  func exchange(
    _ frames: [(WorkerFrame, [UInt8])], awaiting wanted: WorkerFrame, nanoseconds: UInt64
  ) throws(WorkerFailure) -> [UInt8] {
    let deadline = EventClock.monotonic() + nanoseconds
    return try control.withLock { control throws(WorkerFailure) in
      guard let (type, body) = try control.ask(frames, deadline: deadline) else {
        throw WorkerFailure("the process ended")
      }
      if type == .failed { throw WorkerFailure(try body.json()) }
      guard type == wanted else { throw WorkerFailure("found \(type), needed is \(wanted)") }
      return body
    }
  }

  // MARK: The end

  /// Whether the process has closed both ends that it writes to, as only one does that ends, or wants to harm.
  var hasClosedItsEnds: Bool { pump.isOver }

  /// Whether the process has ended.
  var hasEnded: Bool { ckemon_pidfd_has_ended(pidfd) == 1 }

  /// Waits for the end; false when it has not come in time.
  func waitForEnd(milliseconds: Int32) -> Bool {
    var request = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, milliseconds) > 0
  }

  /// Ends the process.
  func kill() { _ = ckemon_pidfd_kill(pidfd) }

  /// How the process ended.
  ///
  /// Once, when it has ended or been killed. What it wrote is passed on first.
  func reap() -> End {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    pump.finish()
    return status & 0x7F == 0 ? .status((status >> 8) & 0xFF) : .signal(status & 0x7F)
  }
}
