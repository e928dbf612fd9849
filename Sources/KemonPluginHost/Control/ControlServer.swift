// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonPlatform
import Synchronization

// Unchecked: what changes belongs to the server's thread; the thread is behind a lock, the flag is atomic.
/// Lets the owner of a run control its plugins over a Unix socket.
///
/// One thread does what clients ask for, one request after the other; events never wait for it. The protocol is in
/// docs/plugins/control.md.
public final class ControlServer: @unchecked Sendable {
  /// Why the socket cannot be used.
  public struct Failure: Error, CustomStringConvertible {
    /// The path and the reason.
    public let description: String
  }

  private let service: ControlService
  private let listener: UnixListener
  /// A pipe: what is written to the second end wakes the thread at the first.
  private let wake: (reading: Int32, writing: Int32)
  private let isOver = Atomic<Bool>(false)
  private let thread = PosixLock<WorkerThread?>(nil)
  /// The thread's own.
  private var clients: [ControlConnection] = []

  /// How many clients there may be at a time.
  static let clientLimit = 16

  /// Begins to serve a host.
  ///
  /// - Parameters:
  ///   - path: of the socket; its owner alone can connect.
  ///   - host: must outlive the server.
  /// - Throws: that the path cannot be used; nothing has changed then.
  public init(listeningAt path: String, for host: PluginHost) throws(Failure) {
    service = ControlService(host)
    do throws(UnixSocketError) {
      listener = try UnixListener(at: path, .stream)
    } catch {
      throw Failure(description: "\(error.path): \(error.message)")
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      listener.close()
      throw Failure(description: "\(path): pipe: \(describe(errno: errno))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    wake = (ends[0], ends[1])
    thread.withLock { $0 = WorkerThread(named: "control") { [unowned self] in run() } }
  }

  deinit {
    stop()
    close(wake.reading)
    close(wake.writing)
  }

  /// Finishes the request that is being served, ends, and takes the socket away.
  ///
  /// Harmless when repeated.
  public func stop() {
    isOver.store(true, ordering: .releasing)
    var one: UInt8 = 1
    _ = write(wake.writing, &one, 1)
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }

  private func run() {
    while !isOver.load(ordering: .acquiring) {
      var set = [
        pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
        pollfd(
          fd: clients.count < Self.clientLimit ? listener.descriptor : -1, events: Int16(POLLIN),
          revents: 0),
      ]
      set += clients.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      guard poll(&set, nfds_t(set.count), -1) > 0 else { continue }
      let ready = Set(set.dropFirst(2).filter { $0.revents != 0 }.map(\.fd))
      clients.removeAll { ready.contains($0.descriptor) && !$0.serve(service) }
      if set[1].revents != 0 { welcome() }
    }
    clients = []
    listener.close()
  }

  private func welcome() {
    while clients.count < Self.clientLimit, let descriptor = listener.accept() {
      // The socket's mode keeps others out; a descriptor may still have been passed on.
      if let client = ControlConnection(descriptor) { clients.append(client) }
    }
  }
}
