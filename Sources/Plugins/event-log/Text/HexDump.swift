// SPDX-License-Identifier: Apache-2.0

extension LineBuffer {
  /// Appends the memory dump of the 2018 Kemon, byte by byte, with offsets for addresses; nothing for no bytes.
  mutating func append(dumpOf bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    append("                                     -*> MEMORY DUMP <*-")
    append("                                      \n")
    append("+---------------------+--------------------------------------------------")
    append("+-------------------+\n")
    append("|       ADDRESS       |  0  1  2  3  4  5  6  7   8  9  A  B  C  D  E  F ")
    append("| 0123456789ABCDEF  |\n")
    append("| --------------------+--------------------------------------------------")
    append("+------------------ |\n")
    for offset in stride(from: 0, to: bytes.count, by: 16) {
      let row = UnsafeRawBufferPointer(rebasing: bytes[offset..<min(offset + 16, bytes.count)])
      append(dumpRow: row, at: UInt64(offset))
    }
    append("+---------------------+--------------------------------------------------")
    append("+-------------------+\n")
  }

  private mutating func append(dumpRow row: UnsafeRawBufferPointer, at offset: UInt64) {
    append("|  ")
    append(hex: offset, digits: 16)
    append(" | ")
    for index in 0..<16 {
      if index < row.count {
        append(hexOf: UnsafeRawBufferPointer(rebasing: row[index...index]))
      } else {
        append("  ")
      }
      append(index == 7 ? "  " : " ")
    }
    append("| ")
    for index in 0..<16 {
      let byte = index < row.count ? row[index] : UInt8(ascii: " ")
      append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "."))
    }
    append("  |\n")
  }
}
