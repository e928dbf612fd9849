// SPDX-License-Identifier: Apache-2.0

extension UnsafeMutableRawBufferPointer {
  /// Copies a text into a fixed C array: cut when too long, never inside a character, always ended by a NUL.
  @usableFromInline
  func copyText(_ text: String) {
    guard count > 0 else { return }
    var text = text
    text.withUTF8 { bytes in
      var length = Swift.min(bytes.count, count - 1)
      if length < bytes.count {
        while length > 0, bytes[length] & 0xC0 == 0x80 { length -= 1 }
      }
      copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<length]))
      self[length] = 0
    }
  }
}
