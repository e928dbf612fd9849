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
/// One thread at a time.
struct WorkerControl {
  static let headerSize = MemoryLayout<kemon_worker_frame>.size
  static let limit = Int(KEMON_WORKER_FRAME_LIMIT)

  let descriptor: Int32

  /// Sends a frame.
  ///
  /// - Throws: ``WorkerFailure`` when the other side is gone, or does not read.
  func send(_ type: WorkerFrame, _ body: [UInt8], deadline: UInt64) throws(WorkerFailure) {
    guard body.count <= Self.limit else {
      throw WorkerFailure(
        "a message of \(body.count) bytes; at most \(Self.limit) can be sent", status: KEMON_E_FULL)
    }
    let header = kemon_worker_frame(length: UInt32(body.count), type: type.rawValue)
    let bytes = withUnsafeBytes(of: header) { Array($0) } + body
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...]
        .withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        try wait(for: POLLOUT, deadline: deadline)
      } else if errno != EINTR {
        throw WorkerFailure("the other side is gone: \(describe(errno: errno))")
      }
    }
  }

  /// Sends a frame of JSON.
  func send(_ type: WorkerFrame, _ body: JSONValue, deadline: UInt64) throws(WorkerFailure) {
    try send(type, Array(body.text.utf8), deadline: deadline)
  }

  /// Receives a frame; nil at the end of the stream.
  func receive(deadline: UInt64) throws(WorkerFailure) -> (type: WorkerFrame, body: [UInt8])? {
    guard let head = try read(Self.headerSize, deadline: deadline) else { return nil }
    let header = head.withUnsafeBytes { $0.loadUnaligned(as: kemon_worker_frame.self) }
    guard let type = WorkerFrame(rawValue: header.type), header.length <= Self.limit else {
      throw WorkerFailure("a frame of type \(header.type) and \(header.length) bytes")
    }
    guard let body = try read(Int(header.length), deadline: deadline) else {
      throw WorkerFailure("the stream ends inside a frame")
    }
    return (type, body)
  }

  private func read(_ count: Int, deadline: UInt64) throws(WorkerFailure) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      try wait(for: POLLIN, deadline: deadline)
      let got = bytes[filled...]
        .withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if got > 0 {
        filled += got
      } else if got == 0 || errno == ECONNRESET {
        if filled == 0 { return nil }
        throw WorkerFailure("the stream ends inside a frame")
      } else if errno != EINTR, errno != EAGAIN {
        throw WorkerFailure("the control socket: \(describe(errno: errno))")
      }
    }
    return bytes
  }

  private func wait(for events: Int32, deadline: UInt64) throws(WorkerFailure) {
    while true {
      let now = EventClock.monotonic()
      guard now < deadline else {
        throw WorkerFailure("no answer in time", status: KEMON_E_STATE)
      }
      var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let milliseconds = min((deadline - now) / 1_000_000 + 1, 1 << 30)
      if poll(&request, 1, Int32(milliseconds)) > 0 { return }
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
