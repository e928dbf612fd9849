// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonBus
import KemonText

/// What a frame of the control socket is; the numbers of `KEMON_WORKER_*`.
enum WorkerFrame: UInt32 {
  case state = 1
  case hello = 2
  case start = 3
  case save = 4
  case stop = 5
  case created = 101
  case started = 102
  case saved = 103
  case stopped = 104
  case failed = 105
}

/// One end of a control socket: whole frames, with a time limit.
///
/// What is left of a frame when its time is over is sent or received by the next call, so that the stream never slips. One
/// thread at a time.
final class WorkerControl {
  static let headerSize = MemoryLayout<kemon_worker_frame>.size
  static let limit = Int(KEMON_WORKER_FRAME_LIMIT)
  private static let block = 64 << 10

  let descriptor: Int32
  /// Of the process at the other end, whose end is the stream's, whoever else may have the socket; -1 for none.
  private let process: Int32
  private var unsent: [UInt8] = []
  private var received: [UInt8] = []
  /// Answers that are still to come and that nobody waits for any more.
  private var owed = 0

  init(descriptor: Int32, process: Int32 = -1) {
    self.descriptor = descriptor
    self.process = process
  }

  /// Sends a request, and returns the answer to it; nil at the end of the stream.
  ///
  /// Answers come in the order of the requests: late ones to earlier requests are thrown away.
  ///
  /// - Parameter frames: the request, behind what belongs to it.
  func ask(
    _ frames: [(WorkerFrame, [UInt8])], deadline: UInt64
  ) throws(WorkerFailure) -> (type: WorkerFrame, body: [UInt8])? {
    try flush(deadline: deadline)
    while owed > 0 {
      guard try receive(deadline: deadline) != nil else { return nil }
      owed -= 1
    }
    for (_, body) in frames { try Self.check(body) }
    for (type, body) in frames { add(type, body) }
    owed = 1
    try flush(deadline: deadline)
    let answer = try receive(deadline: deadline)
    owed = 0
    return answer
  }

  /// Sends a frame.
  ///
  /// - Throws: ``WorkerFailure`` when the other side is gone, or does not read.
  func send(_ type: WorkerFrame, _ body: [UInt8], deadline: UInt64) throws(WorkerFailure) {
    try Self.check(body)
    add(type, body)
    try flush(deadline: deadline)
  }

  /// Sends a frame of JSON.
  func send(_ type: WorkerFrame, _ body: JSONValue, deadline: UInt64) throws(WorkerFailure) {
    try send(type, Array(body.text.utf8), deadline: deadline)
  }

  private static func check(_ body: [UInt8]) throws(WorkerFailure) {
    guard body.count <= limit else {
      throw WorkerFailure(
        "a message of \(body.count) bytes; at most \(limit) can be sent", status: KEMON_E_FULL)
    }
  }

  private func add(_ type: WorkerFrame, _ body: [UInt8]) {
    let header = kemon_worker_frame(length: UInt32(body.count), type: type.rawValue)
    withUnsafeBytes(of: header) { unsent += $0 }
    unsent += body
  }

  private func flush(deadline: UInt64) throws(WorkerFailure) {
    var sent = 0
    defer { unsent.removeFirst(sent) }
    while sent < unsent.count {
      let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
      let count = unsent[sent...]
        .withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        try wait(for: POLLOUT, deadline: deadline)
      } else if errno != EINTR {
        throw WorkerFailure("the other side is gone: \(describe(errno: errno))")
      }
    }
  }

  /// Receives a frame; nil at the end of the stream.
  func receive(deadline: UInt64) throws(WorkerFailure) -> (type: WorkerFrame, body: [UInt8])? {
    guard try fill(to: Self.headerSize, deadline: deadline) else { return nil }
    let header = received.withUnsafeBytes { $0.loadUnaligned(as: kemon_worker_frame.self) }
    guard let type = WorkerFrame(rawValue: header.type), header.length <= Self.limit else {
      throw WorkerFailure("a frame of type \(header.type) and \(header.length) bytes")
    }
    _ = try fill(to: Self.headerSize + Int(header.length), deadline: deadline)
    defer { received = [] }
    return (type, Array(received[Self.headerSize...]))
  }

  /// Receives until there are so many bytes of a frame; false at the end of the stream, in front of a frame.
  private func fill(to size: Int, deadline: UInt64) throws(WorkerFailure) -> Bool {
    var block = [UInt8](repeating: 0, count: min(max(size - received.count, 0), Self.block))
    while received.count < size {
      try wait(for: POLLIN, deadline: deadline)
      let room = min(size - received.count, block.count)
      let count = read(descriptor, &block, room)
      if count > 0 {
        received += block[..<count]
      } else if count == 0 || errno == ECONNRESET {
        if received.isEmpty { return false }
        throw WorkerFailure("the stream ends inside a frame")
      } else if errno != EINTR, errno != EAGAIN {
        throw WorkerFailure("the control socket: \(describe(errno: errno))")
      }
    }
    return true
  }

  private func wait(for events: Int32, deadline: UInt64) throws(WorkerFailure) {
    while true {
      let now = EventClock.monotonic()
      guard now < deadline else {
        throw WorkerFailure("no answer in time", status: KEMON_E_STATE)
      }
      var requests = [
        pollfd(fd: descriptor, events: Int16(events), revents: 0),
        pollfd(fd: process, events: Int16(POLLIN), revents: 0),
      ]
      let milliseconds = min((deadline - now) / 1_000_000 + 1, 1 << 30)
      guard poll(&requests, nfds_t(requests.count), Int32(milliseconds)) > 0 else { continue }
      // What it has sent before its end is still read: looked at again, now that nothing more comes.
      if requests[0].revents != 0 || poll(&requests, 1, 0) > 0 { return }
      throw WorkerFailure("the process ended")
    }
  }
}

extension [UInt8] {
  /// The JSON that a frame holds.
  func json() throws(WorkerFailure) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: self)
    } catch {
      throw WorkerFailure("a frame is not JSON: \(error)")
    }
  }
}
