// SPDX-License-Identifier: Apache-2.0

/// Makes gzip data without compressing: stored blocks.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var data: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
  var rest = bytes[...]
  repeat {
    let piece = rest.prefix(60_000)
    rest = rest.dropFirst(piece.count)
    let count = UInt16(piece.count)
    data += [rest.isEmpty ? 1 : 0]
    data += [UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)]
    data += piece
  } while !rest.isEmpty
  return data + CaptureBuilder.little32(checksum(bytes))
    + CaptureBuilder.little32(UInt32(bytes.count))
}

private func checksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
      value & 1 != 0 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
  }
}
