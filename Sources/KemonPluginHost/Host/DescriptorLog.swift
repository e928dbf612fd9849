// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The log on a descriptor, normally standard error: `kemon-host: warn: my-guard: text`.
///
/// Bounded: a reader that does not read costs lines, never time. ``close()`` must be called.
public final class DescriptorLog: LogSink {
  /// A longer message is cut.
  static let messageLimit = 4096

  private let output: BufferedOutput
  private let threshold: LogLevel

  /// Makes a log and starts its thread.
  ///
  /// - Parameters:
  ///   - descriptor: stays open and is not closed here.
  ///   - threshold: the least important level that is written.
  public init(to descriptor: Int32 = 2, threshold: LogLevel = .info) {
    self.threshold = threshold
    output = BufferedOutput(to: descriptor, capacity: 256 << 10, named: "log")
  }

  /// How many lines were dropped.
  public var droppedLines: UInt64 { output.account.droppedWrites }

  /// Takes a line; control characters in it are written as `\xNN`, so that it stays one line and moves no cursor.
  public func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer) {
    guard level <= threshold else { return }
    var line: [UInt8] = []
    line.reserveCapacity(message.count + 64)
    line += "kemon-host: \(level.name): \(source): ".utf8
    for byte in message.prefix(Self.messageLimit) {
      if byte >= 0x20, byte != 0x7F { line.append(byte) } else { line += Self.escape(byte) }
    }
    if message.count > Self.messageLimit { line += " … (cut)".utf8 }
    line.withUnsafeBytes { _ = output.write($0, mayWait: false) }
  }

  /// Writes out what there is, and how many lines were dropped; harmless when repeated.
  public func close() {
    let dropped = droppedLines
    output.flush()
    if dropped > 0 {
      log(.warn, source: "host", "\(dropped) lines of the log were dropped")
    }
    output.close()
  }

  private static func escape(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}
