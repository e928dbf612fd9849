// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension LineBuffer {
  /// Appends bytes as a JSON string: escaped, and with U+FFFD where they are not UTF-8.
  mutating func append(json bytes: UnsafeRawBufferPointer) {
    // Worst case: every byte becomes \u00xx.
    append(upTo: bytes.count * 6 + 2) { start in
      var written = 1
      start[0] = UInt8(ascii: "\"")
      var index = 0
      while index < bytes.count {
        let byte = bytes[index]
        if byte < 0x80 {
          written += writeEscaped(byte, start + written)
          index += 1
        } else if let length = lengthOfCharacter(at: index, bytes) {
          for offset in 0..<length { start[written + offset] = bytes[index + offset] }
          written += length
          index += length
        } else {
          start[written] = 0xEF
          start[written + 1] = 0xBF
          start[written + 2] = 0xBD
          written += 3
          index += lengthOfBrokenCharacter(at: index, bytes)
        }
      }
      start[written] = UInt8(ascii: "\"")
      return written + 1
    }
  }
}

/// Writes one ASCII byte, escaped where JSON wants it; returns how many bytes that took, at most 6.
private func writeEscaped(_ byte: UInt8, _ out: UnsafeMutablePointer<UInt8>) -> Int {
  if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
    out[0] = byte
    return 1
  }
  out[0] = UInt8(ascii: "\\")
  switch byte {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"): out[1] = byte
  case 0x08: out[1] = UInt8(ascii: "b")
  case 0x09: out[1] = UInt8(ascii: "t")
  case 0x0A: out[1] = UInt8(ascii: "n")
  case 0x0C: out[1] = UInt8(ascii: "f")
  case 0x0D: out[1] = UInt8(ascii: "r")
  default:
    out[1] = UInt8(ascii: "u")
    out[2] = UInt8(ascii: "0")
    out[3] = UInt8(ascii: "0")
    out[4] = hexDigit(byte >> 4)
    out[5] = hexDigit(byte)
    return 6
  }
  return 2
}

// Well-formed UTF-8 by its lead byte: how many bytes follow, and what the first of them may be (Unicode, table 3-7).
private func shape(ofLead lead: UInt8) -> (trailing: Int, first: ClosedRange<UInt8>)? {
  switch lead {
  case 0xC2...0xDF: (1, 0x80...0xBF)
  case 0xE0: (2, 0xA0...0xBF)
  case 0xE1...0xEC, 0xEE...0xEF: (2, 0x80...0xBF)
  case 0xED: (2, 0x80...0x9F)
  case 0xF0: (3, 0x90...0xBF)
  case 0xF1...0xF3: (3, 0x80...0xBF)
  case 0xF4: (3, 0x80...0x8F)
  default: nil
  }
}

/// Bytes of the multi-byte character that starts here; nil when it is broken.
private func lengthOfCharacter(at index: Int, _ bytes: UnsafeRawBufferPointer) -> Int? {
  guard let shape = shape(ofLead: bytes[index]) else { return nil }
  let length = shape.trailing + 1
  return matchingBytes(at: index, bytes) == length ? length : nil
}

/// Bytes that one U+FFFD stands for: the longest beginning of a character, as Unicode recommends and Swift does.
private func lengthOfBrokenCharacter(at index: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
  max(1, matchingBytes(at: index, bytes))
}

/// How many bytes from here on could be one character.
private func matchingBytes(at index: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
  guard let shape = shape(ofLead: bytes[index]) else { return 0 }
  var matching = 1
  while matching <= shape.trailing, index + matching < bytes.count {
    let allowed = matching == 1 ? shape.first : 0x80...0xBF
    guard allowed.contains(bytes[index + matching]) else { break }
    matching += 1
  }
  return matching
}
