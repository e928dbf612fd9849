// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import KemonBus
internal import KemonEvents
internal import KemonPlatform
internal import Synchronization

/// Sends the 2018 Kemon's messages to clients on a Unix socket.
///
/// One thread reads the ring and puts each message into a bounded queue for every client; another one talks to the
/// clients and never waits for one of them. So no client delays the others, the readers of the ring, or the events: who
/// does not keep up loses messages, and is told how many.
///
/// ```swift
/// let server = try OriginalServer(listeningAt: "/run/kemon.sock", ring: ring, overflow: .drop)
/// …
/// let clients = server.stop()
/// ```
public final class OriginalServer: Sendable {
  /// What became of the messages for one client: `offered = sent + lost`.
  public struct ClientAccount: Sendable, Equatable {
    /// Clients are numbered from 1, as they connect.
    public let number: Int
    /// Messages that there were for it since it connected.
    public let offered: UInt64
    /// Those that it was sent.
    public let sent: UInt64
    /// Those that found its queue full, or that it had not taken at the end.
    public let lost: UInt64
  }

  private let socket: UnixListener
  /// A pipe: what is written to the second end wakes the sender at the first.
  private let wake: (reading: Int32, writing: Int32)
  private let limit: OriginalQueue.Limit
  private let clients = PosixLock(Clients())
  private let phase = Atomic<UInt8>(Phase.serving)
  private let threads = PosixLock(Threads())

  private struct Client {
    let number: Int
    let descriptor: Int32
    var queue: OriginalQueue
  }

  private struct Clients {
    var connected: [Client] = []
    var gone: [ClientAccount] = []
    var lastNumber = 0
  }

  private struct Threads {
    var observer: Observer?
    var sender: WorkerThread?
    var account: SubscriberAccount?
  }

  private enum Phase {
    static let serving: UInt8 = 0
    /// Nothing new comes; queues are emptied.
    static let ending: UInt8 = 1
  }

  /// How long clients have at the end to take what waits for them.
  private static let patienceMilliseconds: Int32 = 2000

  /// Begins to serve.
  ///
  /// - Parameters:
  ///   - path: of the socket; its owner alone can connect.
  ///   - overflow: what happens when the server itself is a whole ring behind.
  /// - Throws: that the path cannot be used; nothing has changed then.
  public convenience init(
    listeningAt path: String, ring: EventRing, overflow: OverflowPolicy
  ) throws(OriginalServerError) {
    try self.init(listeningAt: path, ring: ring, overflow: overflow, limit: .original)
  }

  init(
    listeningAt path: String, ring: EventRing, overflow: OverflowPolicy,
    limit: OriginalQueue.Limit
  ) throws(OriginalServerError) {
    do throws(UnixSocketError) {
      socket = try UnixListener(at: path, .messages)
    } catch {
      throw OriginalServerError(error)
    }
    self.limit = limit
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      socket.close()
      throw .system("pipe", path)
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    wake = (ends[0], ends[1])
    // The context is not retained: stop() ends the observer before the server goes.
    let handler = Handler(
      name: "original", pluginID: 0, pluginName: "original", kinds: OriginalMessage.kinds,
      function: { context, event, _ in
        guard let context, let event else { return KEMON_E_INVALID }
        Unmanaged<OriginalServer>.fromOpaque(context)
          ._withUnsafeGuaranteedRef { $0.publish(RecordView(trusted: event)) }
        return KEMON_OK
      }, context: Unmanaged.passUnretained(self).toOpaque())
    let observer = Observer(
      named: "original", ring: ring, overflow: overflow, handlers: [handler])
    do {
      try observer.start()
    } catch {
      socket.close()
      throw OriginalServerError(.system, path, "\(error)")
    }
    let sender = WorkerThread(named: "original-sender") { [unowned self] in run() }
    threads.withLock { threads in
      threads.observer = observer
      threads.sender = sender
    }
  }

  deinit {
    stop()
    Glibc.close(wake.reading)
    Glibc.close(wake.writing)
  }

  /// How many clients are connected.
  public var clientCount: Int { clients.withLock { $0.connected.count } }

  /// What became of the ring's events at this server.
  public var account: SubscriberAccount {
    threads.withLock { threads in
      threads.observer?.account ?? threads.account ?? SubscriberAccount(name: "original")
    }
  }

  /// Ends: sends what waits to clients that take it within two seconds, and takes the socket away.
  ///
  /// Harmless when repeated.
  ///
  /// - Returns: the account of every client that there was, by number.
  @discardableResult
  public func stop() -> [ClientAccount] {
    threads.withLock { threads in
      guard let observer = threads.observer else { return }
      observer.stop()
      threads.account = observer.account
      threads.observer = nil
      phase.store(Phase.ending, ordering: .releasing)
      ring()
      threads.sender?.join()
      threads.sender = nil
    }
    return clients.withLock { $0.gone.sorted { $0.number < $1.number } }
  }

  // MARK: The reader of the ring

  private func publish(_ record: RecordView) {
    guard let message = OriginalMessage(record) else { return }
    let time = record.event.pointee.time_ns
    let isNeeded = clients.withLock { clients in
      var wasEmpty = false
      for index in clients.connected.indices {
        wasEmpty = wasEmpty || clients.connected[index].queue.isEmpty
        clients.connected[index].queue.append(message.bytes, at: time)
      }
      return wasEmpty
    }
    if isNeeded { ring() }
  }

  /// Wakes the sender.
  private func ring() {
    // A full pipe wakes, too.
    var one: UInt8 = 1
    _ = write(wake.writing, &one, 1)
  }

  // MARK: The sender

  private func run() {
    var deadline: UInt64?
    while true {
      let isEnding = phase.load(ordering: .acquiring) == Phase.ending
      if isEnding, deadline == nil {
        deadline = EventClock.monotonic() + UInt64(Self.patienceMilliseconds) * 1_000_000
      }
      let waiting = clients.withLock { clients in
        clients.connected.map { ($0.descriptor, !$0.queue.isEmpty) }
      }
      if let deadline, waiting.allSatisfy({ !$0.1 }) || EventClock.monotonic() >= deadline {
        break
      }
      wait(waiting, isEnding: isEnding)
      if !isEnding { while let descriptor = socket.accept() { welcome(descriptor) } }
      flush()
    }
    clients.withLock { clients in
      for index in clients.connected.indices { Self.leave(&clients, index) }
      clients.connected = []
    }
    socket.close()
  }

  /// Waits until somebody arrives, leaves, takes something, or there is something to send.
  private func wait(_ waiting: [(Int32, Bool)], isEnding: Bool) {
    var set = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
    set.append(pollfd(fd: isEnding ? -1 : socket.descriptor, events: Int16(POLLIN), revents: 0))
    for (descriptor, hasMessages) in waiting {
      // Clients have nothing to say: what can be read is their end.
      let events = Int16(POLLIN) | (hasMessages ? Int16(POLLOUT) : 0)
      set.append(pollfd(fd: descriptor, events: events, revents: 0))
    }
    _ = poll(&set, nfds_t(set.count), isEnding ? 50 : -1)
    var scratch = [UInt8](repeating: 0, count: 512)
    _ = read(wake.reading, &scratch, scratch.count)
    let ended = zip(waiting, set.dropFirst(2))
      .filter { Self.hasEnded($0.0.0, $0.1.revents) }.map(\.0.0)
    guard !ended.isEmpty else { return }
    clients.withLock { clients in
      for index in clients.connected.indices
      where ended.contains(clients.connected[index].descriptor) {
        Self.leave(&clients, index)
      }
      clients.connected.removeAll { ended.contains($0.descriptor) }
    }
  }

  /// Whether a client has gone; what it says is read and not heeded, as by the original.
  private static func hasEnded(_ descriptor: Int32, _ events: Int16) -> Bool {
    if events & Int16(POLLHUP | POLLERR) != 0 { return true }
    guard events & Int16(POLLIN) != 0 else { return false }
    var scratch: UInt64 = 0
    return recv(descriptor, &scratch, 8, Int32(MSG_DONTWAIT)) == 0
  }

  private func welcome(_ descriptor: Int32) {
    clients.withLock { clients in
      clients.lastNumber += 1
      clients.connected.append(
        Client(
          number: clients.lastNumber, descriptor: descriptor, queue: OriginalQueue(limit)))
    }
  }

  /// Sends what clients take just now.
  private func flush() {
    var isOver = false
    while !isOver {
      isOver = true
      // In small turns, so that the reader of the ring gets to the queues in between.
      clients.withLock { clients in
        for index in clients.connected.indices {
          let descriptor = clients.connected[index].descriptor
          let taken = clients.connected[index].queue.drain(limit: 64) {
            Self.send($0, to: descriptor)
          }
          if taken == 64 { isOver = false }
        }
      }
    }
  }

  private static func send(_ message: [UInt8], to descriptor: Int32) -> OriginalQueue.Delivery {
    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
    while true {
      if Glibc.send(descriptor, message, message.count, flags) >= 0 { return .taken }
      switch errno {
      case EINTR: continue
      // A message that no socket takes, ever.
      case EMSGSIZE: return .impossible
      default: return .later
      }
    }
  }

  private static func leave(_ clients: inout Clients, _ index: Int) {
    clients.connected[index].queue.abandon()
    let client = clients.connected[index]
    Glibc.close(client.descriptor)
    let account = client.queue.account
    clients.gone.append(
      ClientAccount(
        number: client.number, offered: account.offered, sent: account.sent, lost: account.lost))
  }
}
