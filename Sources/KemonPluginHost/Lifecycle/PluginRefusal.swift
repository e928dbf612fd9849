// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Why the host refuses what a plugin asks for, in the terms of the C ABI.
struct PluginRefusal: Error, CustomStringConvertible {
  let status: kemon_status
  let line: UInt32
  let column: UInt32
  let text: String

  init(_ status: kemon_status, line: Int = 0, column: Int = 0, _ text: String) {
    self.status = status
    self.line = UInt32(clamping: line)
    self.column = UInt32(clamping: column)
    self.text = text
  }

  /// The reason with its place.
  var description: String {
    line > 0 ? "\(text) (line \(line), column \(column))" : text
  }

  /// Writes the refusal into the caller's buffer, if there is one, and returns the status.
  func report(to buffer: UnsafeMutablePointer<kemon_error>?) -> kemon_status {
    guard let buffer, Int(buffer.pointee.size) >= MemoryLayout<kemon_error>.size else {
      return status
    }
    buffer.pointee.code = status
    buffer.pointee.line = line
    buffer.pointee.column = column
    withUnsafeMutableBytes(of: &buffer.pointee.text) { $0.fill(with: text) }
    return status
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes a C string, cut between two characters when it is too long.
  func fill(with text: String) {
    var count = 0
    for character in text.unicodeScalars {
      let encoded = UTF8.encode(character)
      guard let encoded, count + encoded.count < self.count else { break }
      for byte in encoded {
        self[count] = byte
        count += 1
      }
    }
    if count < self.count { self[count] = 0 }
  }
}

extension UnsafeRawBufferPointer {
  /// Reads a C string of a fixed array, which may lack its NUL; damaged characters are replaced.
  var cString: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}
