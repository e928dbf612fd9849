// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Standard output for data, standard error for people.
enum Console {
  /// Why data could not be written: an errno, or 0.
  private static let dataFailure = Atomic<Int32>(0)

  /// Writes data that is not a plugin's: tables, JSON.
  static func data(_ text: String) {
    let error = write(text + "\n", to: 1)
    if error != 0 { dataFailure.store(error, ordering: .relaxed) }
  }

  /// Says that data was lost on its way to standard output, if it was.
  ///
  /// A reader that has seen enough and left (`| head`) is no failure.
  ///
  /// - Parameter error: what ended the output of plugins, an errno; 0 for nothing.
  /// - Returns: whether data was lost.
  static func reportLostData(_ error: Int32 = 0) -> Bool {
    let error = error != 0 ? error : dataFailure.load(ordering: .relaxed)
    guard error != 0, error != EPIPE else { return false }
    Console.error("standard output: \(String(cString: strerror(error)))")
    return true
  }

  /// Writes a line for people.
  static func note(_ text: String) { write(text + "\n", to: 2) }

  /// Says what went wrong.
  static func error(_ text: String) { note("\(Style.error.paint("error:")) \(text)") }

  /// Says what is wrong, though the work goes on.
  static func warning(_ text: String) { note("\(Style.warning.paint("warning:")) \(text)") }

  /// Writes all of a text; what cannot be written is dropped.
  ///
  /// - Returns: why it cannot be written, an errno; 0 when all of it was.
  @discardableResult
  static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let base = rest.baseAddress, !rest.isEmpty {
        let count = Glibc.write(descriptor, base, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      return 0
    }
  }
}

/// Colours on standard error, when it is a terminal that has them and NO_COLOR is not set or empty.
enum Style: String {
  case error = "1;31"
  case warning = "1;33"

  private static let isOn: Bool = {
    let isRefused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    guard isatty(2) == 1, !isRefused else { return false }
    return getenv("TERM").map { String(cString: $0) } != "dumb"
  }()

  func paint(_ text: String) -> String {
    Self.isOn ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }
}
