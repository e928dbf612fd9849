// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonPlatform
import Synchronization

/// Passes on what a worker writes: whole lines of output, and lines of the log.
///
/// A thread of its own, which may wait for room where the threads of events may not.
final class WorkerPump: Sendable {
  /// A longer line is cut in two.
  private static let lineLimit = 512 << 10

  private let thread: PosixLock<WorkerThread?>
  private let end = Ended()

  private final class Ended: Sendable {
    let value = Atomic<Bool>(false)
  }

  /// Whether nothing more can come: the process has ended, or has closed what it writes to.
  var isOver: Bool { end.value.load(ordering: .acquiring) }

  /// Takes over two descriptors for reading, and one that stands for the process, and starts.
  init(
    output: Int32, log: Int32, process: Int32, name: String, to sink: any OutputSink,
    _ logSink: any LogSink
  ) {
    let body: @Sendable () -> Void = { [end] in
      Self.run(output: output, log: log, process: process, name: name, sink, logSink)
      for descriptor in [output, log, process] where descriptor >= 0 { close(descriptor) }
      end.value.store(true, ordering: .releasing)
    }
    thread = PosixLock(WorkerThread(named: "pump \(name)", body))
  }

  /// Returns when everything is passed on; the process has ended.
  func finish() {
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  private static func run(
    output: Int32, log: Int32, process: Int32, name: String, _ sink: any OutputSink,
    _ logSink: any LogSink
  ) {
    var lines = LineBuffer(limit: lineLimit)
    var logged = LineBuffer(limit: 8192)
    var requests = [output, log, process]
      .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while requests[0].fd >= 0 || requests[1].fd >= 0 {
      _ = poll(&requests, nfds_t(requests.count), -1)
      // What it wrote lies in the pipes now. They need not end: it may have sent their other ends away.
      let hasEnded = requests[2].revents != 0
      if !lines.take(from: requests[0], isLast: hasEnded) { requests[0].fd = -1 }
      lines.takeWhole(isLast: requests[0].fd < 0) { _ = sink.write($0, mayWait: true) }
      if !logged.take(from: requests[1], isLast: hasEnded) { requests[1].fd = -1 }
      logged.takeWhole(isLast: requests[1].fd < 0) { bytes in
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
          let (level, text) = WorkerLogLine.parse(UnsafeRawBufferPointer(rebasing: line))
          logSink.log(level, source: name, text)
        }
      }
    }
  }
}

/// Bytes that arrive in pieces and leave in whole lines.
private struct LineBuffer {
  private var bytes: [UInt8] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Takes what there is; false at the end.
  ///
  /// - Parameter isLast: whether nothing is awaited any more but what there is now.
  mutating func take(from request: pollfd, isLast: Bool) -> Bool {
    guard isLast else { return request.revents == 0 || fill(from: request.fd) }
    var left: Int32 = 0
    guard request.fd >= 0, ioctl(request.fd, UInt(FIONREAD), &left) == 0 else { return false }
    while left > 0 {
      let count = bytes.count
      guard fill(from: request.fd) else { break }
      left -= Int32(bytes.count - count)
    }
    return false
  }

  /// Reads what there is; false at the end.
  private mutating func fill(from descriptor: Int32) -> Bool {
    let start = bytes.count
    let room = 64 << 10
    bytes.append(contentsOf: repeatElement(0, count: room))
    let count = bytes.withUnsafeMutableBytes {
      read(descriptor, $0.baseAddress.map { $0 + start }, room)
    }
    bytes.removeLast(room - max(count, 0))
    return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN))
  }

  /// Hands over all whole lines at once; in the end, and when they are too long, what there is.
  mutating func takeWhole(isLast: Bool, _ body: (UnsafeRawBufferPointer) -> Void) {
    var end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if isLast || (end == 0 && bytes.count >= limit) { end = bytes.count }
    guard end > 0 else { return }
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
    bytes.removeFirst(end)
  }
}
