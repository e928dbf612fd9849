// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization

/// A socket of whole packets to a worker.
final class SocketChannel: Sendable {
  let descriptor: Int32

  /// Takes over a connected socket.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A large record is one packet.
    var size = Int32(512 << 10)
    for option in [SO_SNDBUF, SO_RCVBUF] {
      setsockopt(descriptor, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  deinit { close(descriptor) }

  /// Sends a header, a verdict if there is one, and an event, as one packet, without waiting.
  ///
  /// - Returns: 0 or an errno.
  func send(
    _ request: kemon_worker_request, _ verdict: UnsafeMutablePointer<kemon_verdict>?,
    _ event: UnsafePointer<kemon_event>
  ) -> Int32 {
    var request = request
    return withUnsafeMutableBytes(of: &request) { head in
      var parts = [iovec(iov_base: head.baseAddress, iov_len: head.count)]
      if let verdict {
        parts.append(iovec(iov_base: verdict, iov_len: MemoryLayout<kemon_verdict>.size))
      }
      parts.append(
        iovec(iov_base: UnsafeMutableRawPointer(mutating: event), iov_len: Int(event.pointee.size)))
      return parts.withUnsafeMutableBufferPointer { parts in
        var message = msghdr()
        message.msg_iov = parts.baseAddress
        message.msg_iovlen = parts.count
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return sendmsg(descriptor, &message, flags) >= 0 ? 0 : errno
      }
    }
  }
}

/// A lane through a socket: one question at a time, the others wait for their turn.
final class SocketLane: WorkerLane {
  private let channel: SocketChannel
  /// Whose turn it is, asks and receives.
  private let turns = TurnGate(.plugin)
  /// The last question; while it is not the last that was answered, the worker may still be at it.
  private let asked = Atomic<UInt64>(0)
  private let answered = Atomic<UInt64>(0)
  private let current = PosixLock<WorkerActivity?>(nil)

  init(_ channel: SocketChannel) { self.channel = channel }

  var next: UInt64 { answered.load(ordering: .acquiring) + 1 }

  var activity: WorkerActivity? { current.withLock { $0 } }

  func ask(
    _ handler: UInt32, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>, deadline: UInt64
  ) -> WorkerReply {
    guard turns.enter(.only, until: deadline) == .granted else { return .noTurn }
    defer { turns.leave(.only) }
    let last = asked.load(ordering: .relaxed)
    if next <= last {
      switch receive(last, verdict: nil, deadline: deadline) {
      case .answered: break
      case .died: return .absent
      default: return .noTurn
      }
    }
    // It is not asked what it has no time to answer.
    guard EventClock.monotonic() < deadline else { return .noTurn }
    let number = last + 1
    let request = kemon_worker_request(
      size: UInt32(RingLane.head), handler: handler, number: number)
    switch channel.send(request, verdict, event) {
    case 0: break
    case EPIPE, ECONNRESET, ENOTCONN: return .absent
    case EMSGSIZE: return .answered(KEMON_E_INVALID)
    default: return .noTurn
    }
    asked.store(number, ordering: .relaxed)
    current.withLock { $0 = WorkerActivity(handler, event.pointee) }
    return receive(number, verdict: verdict, deadline: deadline)
  }

  func hasFinished(_ number: UInt64) -> Bool {
    // Who has the turn receives what comes.
    if next <= number, turns.enter(.only, until: 0) == .granted {
      _ = receive(number, verdict: nil, deadline: 0)
      turns.leave(.only)
    }
    return next > number
  }

  /// Waits for the answer to a question; others are late ones, and nobody's.
  private func receive(
    _ number: UInt64, verdict: UnsafeMutablePointer<kemon_verdict>?, deadline: UInt64
  ) -> WorkerReply {
    while true {
      var answer = kemon_worker_answer()
      let size = MemoryLayout<kemon_worker_answer>.size
      let count = recv(channel.descriptor, &answer, size, Int32(MSG_DONTWAIT))
      if count == 0 || (count < 0 && errno == ECONNRESET) { return .died }
      if count == size, answer.number == number { return take(answer, verdict) }
      let now = EventClock.monotonic()
      guard now < deadline else { return .timedOut(number) }
      guard count < 0 else { continue }
      var request = pollfd(fd: channel.descriptor, events: Int16(POLLIN), revents: 0)
      let milliseconds = min((deadline - now + 999_999) / 1_000_000, 1 << 30)
      _ = poll(&request, 1, Int32(milliseconds))
    }
  }

  private func take(
    _ answer: kemon_worker_answer, _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> WorkerReply {
    answered.store(answer.number, ordering: .releasing)
    current.withLock { $0 = nil }
    switch answer.value {
    case KEMON_WORKER_BLANK: return .answered(KEMON_OK)
    case KEMON_WORKER_WRITTEN:
      verdict?.take(answer.verdict)
      return .answered(KEMON_OK)
    default: return .answered(KEMON_E_FAILED)
    }
  }
}

/// A feed through a socket.
final class SocketFeed: WorkerFeed {
  private let channel: SocketChannel
  private let state = PosixLock(State())

  private struct State {
    var sent = SentEvents()
    /// The worker says what it has taken.
    var isTold = false
  }

  init(_ channel: SocketChannel) { self.channel = channel }

  /// Of a worker that does not say what it has taken: something, or nothing.
  var pending: UInt64 {
    state.withLock { state in
      look(&state)
      return state.isTold ? state.sent.pending : min(unreceived, 1)
    }
  }

  var taken: UInt64 {
    state.withLock { state in
      look(&state)
      return state.isTold ? state.sent.taken : .max - unreceived
    }
  }

  func close() -> SentEvents.Rest {
    state.withLock { state in
      state.sent.isClosed = true
      look(&state)
      return state.isTold ? state.sent.rest : SentEvents.Rest(count: min(unreceived, 1), last: nil)
    }
  }

  /// Bytes, and what the kernel adds to them.
  private var unreceived: UInt64 {
    var bytes: Int32 = 0
    return ioctl(channel.descriptor, UInt(TIOCOUTQ), &bytes) == 0 ? UInt64(max(bytes, 0)) : 0
  }

  /// Receives what the worker says; no more than it could have to say.
  private func look(_ state: inout State) {
    var number: UInt64 = 0
    let size = MemoryLayout<UInt64>.size
    for _ in 0..<4096 {
      let count = recv(channel.descriptor, &number, size, Int32(MSG_DONTWAIT))
      // One that ended before it had read everything is told of first, then what it has said.
      if count < 0, errno == ECONNRESET || errno == EINTR { continue }
      guard count == size else { return }
      state.isTold = true
      state.sent.take(upTo: number)
    }
  }

  func send(_ handler: UInt32, _ event: UnsafePointer<kemon_event>) -> Bool {
    state.withLock { state in
      guard !state.sent.isClosed else { return false }
      look(&state)
      let head = MemoryLayout<kemon_worker_request>.size
      let number = state.isTold ? state.sent.next : 0
      let request = kemon_worker_request(size: UInt32(head), handler: handler, number: number)
      guard channel.send(request, nil, event) == 0 else { return false }
      if state.isTold { state.sent.add(event.pointee.seq) }
      return true
    }
  }
}
