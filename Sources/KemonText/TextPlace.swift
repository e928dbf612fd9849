// SPDX-License-Identifier: Apache-2.0

/// A place in a text, as editors count.
public struct TextPlace: Equatable, Sendable, CustomStringConvertible {
  /// The line, from 1.
  public let line: Int
  /// The column in characters, from 1.
  public let column: Int

  /// Makes a place.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// Finds the place of a byte.
  ///
  /// - Parameters:
  ///   - offset: bytes from the beginning; not beyond the end.
  ///   - bytes: UTF-8.
  public init(of offset: Int, in bytes: [UInt8]) {
    let before = bytes[..<offset]
    line = before.count { $0 == 0x0A } + 1
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    // Bytes that continue a character do not count as columns.
    column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
  }

  /// As in `line 3, column 14`.
  public var description: String { "line \(line), column \(column)" }
}
