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

  /// Takes over two descriptors for reading, and starts.
  init(
    output: Int32, log: Int32, name: String, to sink: any OutputSink, _ logSink: any LogSink
  ) {
    let body: @Sendable () -> Void = { [end] in
      Self.run(output: output, log: log, name: name, sink, logSink)
      close(output)
      close(log)
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
    output: Int32, log: Int32, name: String, _ sink: any OutputSink, _ logSink: any LogSink
  ) {
    var lines = LineBuffer(limit: lineLimit)
    var logged = LineBuffer(limit: 8192)
    var requests = [output, log].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while requests.contains(where: { $0.fd >= 0 }) {
      _ = poll(&requests, nfds_t(requests.count), -1)
      if requests[0].revents != 0, !lines.fill(from: output) { requests[0].fd = -1 }
      lines.takeWhole(isLast: requests[0].fd < 0) { _ = sink.write($0, mayWait: true) }
      if requests[1].revents != 0, !logged.fill(from: log) { requests[1].fd = -1 }
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

  /// Reads what there is; false at the end.
  mutating func fill(from descriptor: Int32) -> Bool {
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
