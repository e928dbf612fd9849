// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension LineBuffer {
  /// Appends a text of an event as it is, except that control characters become `\x0a`: a line stays one line.
  mutating func append(_ text: RecordText) {
    let bytes = text.bytes
    var hasControls = false
    for byte in bytes where isControl(byte) { hasControls = true }
    guard hasControls else { return append(bytes) }
    append(upTo: bytes.count * 4) { start in
      var written = 0
      for byte in bytes {
        guard isControl(byte) else {
          start[written] = byte
          written += 1
          continue
        }
        start[written] = UInt8(ascii: "\\")
        start[written + 1] = UInt8(ascii: "x")
        start[written + 2] = hexDigit(byte >> 4)
        start[written + 3] = hexDigit(byte)
        written += 4
      }
      return written
    }
  }

  /// Appends the texts of a list field, joined by single spaces, without quotes: a command line.
  mutating func append(joining list: RecordText) {
    guard list.bytes.last == 0 else { return append(list) }
    var rest = UnsafeRawBufferPointer(rebasing: list.bytes.dropLast())
    while let end = rest.firstIndex(of: 0) {
      append(RecordText(UnsafeRawBufferPointer(rebasing: rest[..<end])))
      append(UInt8(ascii: " "))
      rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
    }
    append(RecordText(rest))
  }
}

private func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
