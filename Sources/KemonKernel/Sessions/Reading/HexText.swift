// SPDX-License-Identifier: Apache-2.0

/// Bytes as texts of hexadecimal digits, two a byte, with spaces wherever they help.
enum HexText {
  /// The bytes; nil when the text has something else, or an odd digit.
  static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 where character != UInt8(ascii: " ") {
      guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return high == nil ? bytes : nil
  }
}
