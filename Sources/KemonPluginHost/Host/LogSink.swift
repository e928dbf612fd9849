// SPDX-License-Identifier: Apache-2.0

/// How much a line of the log matters; the numbers of `KEMON_LOG_*`.
public enum LogLevel: Int32, Sendable, Comparable, CaseIterable {
  /// Something does not work.
  case error = 1
  /// Something may not work.
  case warn = 2
  /// Something happened.
  case info = 3
  /// For those who look for a mistake.
  case debug = 4

  /// The level as it is written.
  public var name: String {
    switch self {
    case .error: "error"
    case .warn: "warn"
    case .info: "info"
    case .debug: "debug"
    }
  }

  /// Whether one level matters more than another.
  public static func < (lhs: LogLevel, rhs: LogLevel) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Where lines for the operator go: what `kemon_host.log` writes to.
public protocol LogSink: AnyObject, Sendable {
  /// Takes a line. Any thread; never blocks, drops and counts instead.
  ///
  /// - Parameters:
  ///   - level: how much it matters.
  ///   - source: who says it: a plugin's name, or "host".
  ///   - message: UTF-8 by convention, from a plugin: not to be trusted to be one line, or fit for a terminal.
  func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer)
}

extension LogSink {
  /// Takes a line.
  public func log(_ level: LogLevel, source: String, _ message: String) {
    var message = message
    message.withUTF8 { log(level, source: source, UnsafeRawBufferPointer($0)) }
  }
}
