// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Standard output for data, standard error for people.
enum Console {
  /// Writes data that is not a plugin's: tables, JSON.
  static func data(_ text: String) { write(text + "\n", to: 1) }

  /// Writes a line for people.
  static func note(_ text: String) { write(text + "\n", to: 2) }

  /// Says what went wrong.
  static func error(_ text: String) { note("\(Style.error.paint("error:")) \(text)") }

  /// Says what is wrong, though the work goes on.
  static func warning(_ text: String) { note("\(Style.warning.paint("warning:")) \(text)") }

  /// Writes all of a text; what cannot be written because nobody reads is dropped.
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let base = rest.baseAddress, !rest.isEmpty {
        let count = Glibc.write(descriptor, base, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }
}

/// Colours on standard error, when it is a terminal that has them and NO_COLOR is not set.
enum Style: String {
  case error = "1;31"
  case warning = "1;33"

  private static let isOn: Bool = {
    guard isatty(2) == 1, getenv("NO_COLOR") == nil else { return false }
    return getenv("TERM").map { String(cString: $0) } != "dumb"
  }()

  func paint(_ text: String) -> String {
    Self.isOn ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }
}
