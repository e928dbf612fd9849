// SPDX-License-Identifier: Apache-2.0

extension LineBuffer {
  /// Appends an integer in decimal.
  mutating func append(decimal value: some FixedWidthInteger) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(digits: UInt64(value.magnitude), atLeast: 1)
  }

  /// Appends digits with zeros in front up to a width.
  mutating func append(digits value: UInt64, atLeast width: Int) {
    append(upTo: 20) { start in
      var length = 1
      var rest = value / 10
      while rest > 0 {
        length += 1
        rest /= 10
      }
      length = max(length, width)
      rest = value
      var index = length
      while index > 0 {
        index -= 1
        start[index] = UInt8(truncatingIfNeeded: rest % 10) &+ UInt8(ascii: "0")
        rest /= 10
      }
      return length
    }
  }

  /// Appends `0x` and the shortest lower-case hexadecimal digits.
  mutating func append(hex value: UInt64) {
    append(hex: value, digits: max(1, (64 - value.leadingZeroBitCount + 3) / 4))
  }

  /// Appends `0x` and a fixed number of lower-case hexadecimal digits.
  mutating func append(hex value: UInt64, digits: Int) {
    append("0x")
    append(upTo: 16) { start in
      for index in 0..<digits {
        let shift = UInt64(4 * (digits - 1 - index))
        start[index] = hexDigit(UInt8(truncatingIfNeeded: value >> shift))
      }
      return digits
    }
  }

  /// Appends two lower-case hexadecimal digits for each byte.
  mutating func append(hexOf bytes: UnsafeRawBufferPointer) {
    append(upTo: bytes.count * 2) { start in
      for (index, byte) in bytes.enumerated() {
        start[2 * index] = hexDigit(byte >> 4)
        start[2 * index + 1] = hexDigit(byte)
      }
      return bytes.count * 2
    }
  }
}

/// The lower-case hexadecimal digit of a byte's low half.
func hexDigit(_ byte: UInt8) -> UInt8 {
  let value = byte & 15
  return value < 10 ? value &+ UInt8(ascii: "0") : value &- 10 &+ UInt8(ascii: "a")
}
