// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Lines of a worker's log as they travel: `<4>text`, with the severities of syslog.
enum WorkerLogLine {
  /// The severity in front of a level's lines.
  static func severity(_ level: LogLevel) -> Int {
    switch level {
    case .error: 3
    case .warn: 4
    case .info: 6
    case .debug: 7
    }
  }

  /// Level and text of a line; without a severity it is a warning: so end programs that are in trouble.
  static func parse(_ line: UnsafeRawBufferPointer) -> (LogLevel, UnsafeRawBufferPointer) {
    guard line.count >= 3, line[0] == UInt8(ascii: "<"), line[2] == UInt8(ascii: ">"),
      (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(line[1])
    else { return (.warn, line) }
    let level: LogLevel =
      switch line[1] - UInt8(ascii: "0") {
      case 0...3: .error
      case 4: .warn
      case 5, 6: .info
      default: .debug
      }
    return (level, UnsafeRawBufferPointer(rebasing: line[3...]))
  }
}

/// The log of a plugin inside a worker: lines on a descriptor that the host reads.
final class WorkerLog: LogSink {
  private let output: BufferedOutput

  init(to descriptor: Int32) {
    output = BufferedOutput(to: descriptor, capacity: 256 << 10, named: "log")
  }

  func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer) {
    var line = Array("<\(WorkerLogLine.severity(level))>".utf8)
    // One line: the host escapes what else must not reach a terminal.
    for byte in message.prefix(DescriptorLog.messageLimit + 1) {
      if byte == UInt8(ascii: "\n") { line += "\\x0a".utf8 } else { line.append(byte) }
    }
    line.withUnsafeBytes { _ = output.write($0, mayWait: false) }
  }

  /// Writes out what there is.
  func close() { output.close() }
}
