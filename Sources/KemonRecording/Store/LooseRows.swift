// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The rows of the table `event` that are found in a file's pages without the tree above them.
///
/// When a tree grows by a level, SQLite moves its first branch to the end of the file. Of a file that is cut, that
/// branch may be missing while most leaves are there; SQLite then finds no row at all. The leaves tell by themselves
/// what they are (https://www.sqlite.org/fileformat2.html): pages of a type, cells with the row's id, its columns'
/// types and its columns.
///
/// Everything is bad input: what does not fit is no row. One thread at a time.
final class LooseRows {
  private let file: Int32
  private let pageSize: Int
  /// Bytes of a page that hold content.
  private let usable: Int
  private let pageCount: Int

  /// Columns of the table: the id, which is stored as NULL, integers, and the record.
  private static let integerColumns = 8
  private static let leafType: UInt8 = 0x0D
  private static let headerSize = 100

  /// Opens a file; nil when its header is none of SQLite's.
  init?(of path: String) {
    file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    let header = Self.read(file, at: 0, Self.headerSize)
    guard header.count == Self.headerSize else {
      close(file)
      return nil
    }
    let size = Int(header[16]) << 8 | Int(header[17])
    pageSize = size == 1 ? 65536 : size
    usable = pageSize - Int(header[20])
    pageCount = FileSize.of(path) / max(pageSize, 1)
    guard pageSize >= 512, usable >= 480 else {
      close(file)
      return nil
    }
  }

  deinit { close(file) }

  /// Calls the body with the rows behind one of them, in the order of their ids, until it returns false.
  func forEach(after last: Int64, _ body: (Int64, [UInt8]) -> Bool) {
    var leaves: [(first: Int64, page: Int)] = []
    for page in 1..<max(pageCount + 1, 1) {
      let ids = cells(of: read(page)).map(\.id)
      if let first = ids.first, ids.contains(where: { $0 > last }) { leaves.append((first, page)) }
    }
    leaves.sort { $0.first < $1.first }
    var last = last
    for leaf in leaves {
      for cell in cells(of: read(leaf.page)) where cell.id > last {
        guard let record = record(of: cell) else { continue }
        last = cell.id
        guard body(cell.id, record) else { return }
      }
    }
  }

  // MARK: Pages

  private struct Cell {
    let id: Int64
    /// Bytes of the columns with their types.
    let size: Int
    /// Those that lie on the leaf.
    let local: ArraySlice<UInt8>
    /// The first page with the rest; 0 for none.
    let next: Int
  }

  private func read(_ page: Int) -> [UInt8] {
    Self.read(file, at: (page - 1) * pageSize, pageSize)
  }

  private static func read(_ file: Int32, at offset: Int, _ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, pread(file, buffer.baseAddress, count, off_t(offset)))
    }
  }

  /// The cells of a leaf of the table; none of another page.
  private func cells(of page: [UInt8]) -> [Cell] {
    guard page.count == pageSize, page[0] == Self.leafType else { return [] }
    let count = Int(page[3]) << 8 | Int(page[4])
    guard count > 0, 8 + 2 * count <= usable else { return [] }
    var cells: [Cell] = []
    for index in 0..<count {
      let pointer = 8 + 2 * index
      let start = Int(page[pointer]) << 8 | Int(page[pointer + 1])
      guard start < usable, let cell = cell(page[start..<usable]), Self.isRow(cell.local)
      else { return [] }
      cells.append(cell)
    }
    return cells
  }

  private func cell(_ bytes: ArraySlice<UInt8>) -> Cell? {
    var rest = bytes
    guard let size = Self.number(&rest), size >= 0, size <= 1 << 30, let id = Self.number(&rest)
    else { return nil }
    let local = localCount(Int(size))
    guard rest.count >= local else { return nil }
    let content = rest.prefix(local)
    guard local < size else { return Cell(id: id, size: Int(size), local: content, next: 0) }
    let pointer = rest.dropFirst(local).prefix(4)
    guard pointer.count == 4 else { return nil }
    return Cell(id: id, size: Int(size), local: content, next: Self.page(pointer))
  }

  /// How many bytes of so many lie on the leaf itself.
  private func localCount(_ size: Int) -> Int {
    let most = usable - 35
    guard size > most else { return size }
    let least = (usable - 12) * 32 / 255 - 23
    let fitting = least + (size - least) % (usable - 4)
    return fitting <= most ? fitting : least
  }

  // MARK: Columns

  /// The record of a row, or nil when it is not all there.
  private func record(of cell: Cell) -> [UInt8]? {
    var bytes = Array(cell.local)
    var next = cell.next
    while bytes.count < cell.size {
      guard next > 1, next <= pageCount else { return nil }
      let page = read(next)
      guard page.count == pageSize else { return nil }
      next = Self.page(page.prefix(4))
      bytes += page[4..<usable].prefix(cell.size - bytes.count)
    }
    guard let columns = Self.columns(bytes[...]) else { return nil }
    let record = bytes.dropFirst(columns.head + columns.integers)
    return record.count == columns.record ? Array(record) : nil
  }

  private static func isRow(_ bytes: ArraySlice<UInt8>) -> Bool { columns(bytes) != nil }

  /// How many bytes types, integers and record have; nil when the types are not those of the table.
  private static func columns(
    _ bytes: ArraySlice<UInt8>
  ) -> (head: Int, integers: Int, record: Int)? {
    let integerSizes = [0, 1, 2, 3, 4, 6, 8]
    var rest = bytes
    guard let head = number(&rest), head > 0, head <= 64, number(&rest) == 0 else { return nil }
    var integers = 0
    for _ in 0..<integerColumns {
      guard let type = number(&rest), type >= 0 else { return nil }
      // 8 and 9 are the integers 0 and 1 themselves.
      guard type < integerSizes.count else {
        if type == 8 || type == 9 { continue }
        return nil
      }
      integers += integerSizes[Int(type)]
    }
    guard let type = number(&rest), type >= 12, type <= 1 << 31, type.isMultiple(of: 2),
      rest.startIndex - bytes.startIndex == head
    else { return nil }
    return (Int(head), integers, Int(type - 12) / 2)
  }

  /// Takes a number of one to nine bytes.
  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    var value: UInt64 = 0
    for _ in 0..<8 {
      guard let byte = bytes.popFirst() else { return nil }
      value = value << 7 | UInt64(byte & 0x7F)
      if byte < 0x80 { return Int64(bitPattern: value) }
    }
    guard let byte = bytes.popFirst() else { return nil }
    return Int64(bitPattern: value << 8 | UInt64(byte))
  }

  private static func page(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
