// SPDX-License-Identifier: Apache-2.0

/// The memory dump of the 2018 Kemon, in one of its four widths; numbers are little-endian.
enum HexDump: String, CaseIterable {
  case bytes, words, dwords, qwords

  /// Bytes of a number.
  var unit: Int {
    switch self {
    case .bytes: 1
    case .words: 2
    case .dwords: 4
    case .qwords: 8
    }
  }

  /// Spaces in front of the title and behind it.
  fileprivate var margins: (front: Int, behind: Int) {
    switch self {
    case .bytes: (37, 38)
    case .words: (33, 34)
    case .dwords, .qwords: (31, 32)
    }
  }

  /// The places of a row's bytes, as its numbers have them.
  fileprivate var places: StaticString {
    switch self {
    case .bytes: " 0  1  2  3  4  5  6  7   8  9  A  B  C  D  E  F"
    case .words: " 1 0  3 2  5 4  7 6   9 8  B A  D C  F E"
    case .dwords: " 3 2 1 0  7 6 5 4   B A 9 8  F E D C"
    case .qwords: " 7 6 5 4  3 2 1 0   F E D C  B A 9 8"
    }
  }

  /// Numbers of a row.
  fileprivate var row: Int { 16 / unit }

  /// Characters of the column of numbers.
  fileprivate var column: Int { places.utf8CodeUnitCount + 2 }
}

extension LineBuffer {
  /// Appends the dump of some bytes; as in the original nothing for a length that is no multiple of the width.
  ///
  /// - Parameter address: of the first byte.
  mutating func append(
    dumpOf bytes: UnsafeRawBufferPointer, at address: UInt64 = 0, as width: HexDump = .bytes
  ) {
    guard !bytes.isEmpty, bytes.count % width.unit == 0 else { return }
    append(UInt8(ascii: " "), times: width.margins.front)
    append("-*> MEMORY DUMP <*-")
    append(UInt8(ascii: " "), times: width.margins.behind)
    append("\n+---------------------+")
    append(ruleOf: width)
    append("+-------------------+\n|       ADDRESS       | ")
    append(width.places)
    append(" | 0123456789ABCDEF  |\n| --------------------+")
    append(ruleOf: width)
    append("+------------------ |\n")
    for offset in stride(from: 0, to: bytes.count, by: 16) {
      let row = UnsafeRawBufferPointer(rebasing: bytes[offset..<min(offset + 16, bytes.count)])
      append(dumpRow: row, at: address &+ UInt64(offset), width)
    }
    append("+---------------------+")
    append(ruleOf: width)
    append("+-------------------+\n")
  }

  private mutating func append(ruleOf width: HexDump) {
    append(UInt8(ascii: "-"), times: width.column)
  }

  private mutating func append(_ byte: UInt8, times count: Int) {
    append(upTo: count) { start in
      start.update(repeating: byte, count: count)
      return count
    }
  }

  private mutating func append(
    dumpRow row: UnsafeRawBufferPointer, at address: UInt64, _ width: HexDump
  ) {
    append("|  ")
    append(hex: address, digits: 16)
    append(" | ")
    for index in 0..<width.row {
      append(number: index * width.unit, of: row, width)
      append(UInt8(ascii: " "))
      if index == width.row / 2 - 1 { append(UInt8(ascii: " ")) }
    }
    append("| ")
    for index in 0..<16 {
      let byte = index < row.count ? row[index] : UInt8(ascii: " ")
      append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "."))
    }
    append("  |\n")
  }

  /// Appends the number at an offset, its highest byte first; spaces where the row has ended.
  private mutating func append(
    number offset: Int, of row: UnsafeRawBufferPointer, _ width: HexDump
  ) {
    for place in stride(from: width.unit - 1, through: 0, by: -1) {
      if offset < row.count {
        let byte = row[offset + place]
        append(hexDigit(byte >> 4))
        append(hexDigit(byte))
      } else {
        append("  ")
      }
      if width == .qwords, place == 4 {
        append(offset < row.count ? UInt8(ascii: "`") : UInt8(ascii: " "))
      }
    }
  }
}
