// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

// Unchecked: tables and names are never freed, readers reach them through atomics only; writers hold a lock.
/// Names behind numbers, as C strings that live for ever.
///
/// Readers take no lock, because handlers ask while a verdict is awaited. A table that has become too small is
/// replaced by one of twice the size and kept, so that a reader may finish with it.
final class NameRegistry: @unchecked Sendable {
  private typealias Cell = Atomic<UInt>

  private struct Table {
    let cells: UnsafeMutablePointer<Cell>
    let count: Int

    init(count: Int) {
      self.count = count
      cells = .allocate(capacity: count)
      for index in 0..<count { (cells + index).initialize(to: Cell(0)) }
    }
  }

  /// The address of the current table's cells, of which the first holds their number.
  private let current = Atomic<UInt>(0)
  private let writer = Mutex<Table?>(nil)
  /// In a worker: where the host writes the names.
  private let page: (page: WorkerPage, family: WorkerPage.Family)?
  /// In a host: where workers read them.
  private let mirror = Mutex<(page: WorkerPage, family: WorkerPage.Family)?>(nil)

  private let watch: @Sendable (UnsafeRawPointer) -> Void

  /// Makes a registry without names.
  ///
  /// - Parameter watch: told where the cells are: the first has their number, the others addresses of C strings or 0.
  init(_ watch: @escaping @Sendable (UnsafeRawPointer) -> Void = { _ in }) {
    page = nil
    self.watch = watch
  }

  /// Makes a registry of the names that another process gives.
  init(reading page: WorkerPage, as family: WorkerPage.Family) {
    self.page = (page, family)
    watch = { _ in }
  }

  /// Writes all names, also those that come, to a page for other processes.
  func mirror(to page: WorkerPage, as family: WorkerPage.Family) {
    mirror.withLock { $0 = (page, family) }
    let count = writer.withLock { $0?.count ?? 0 }
    for id in 0..<UInt32(max(count - 1, 0)) {
      if let name = name(of: id) { page.set(String(cString: name), for: id, family) }
    }
  }

  /// Gives a number its name.
  func set(_ name: String, for id: UInt32) {
    mirror.withLock { $0.map { $0.page.set(name, for: id, $0.family) } }
    guard let text = strdup(name) else { return }
    writer.withLock { table in
      let index = Int(id) + 1
      let old = table
      if old == nil || index >= old?.count ?? 0 {
        let larger = Table(count: max(64, (index + 1) * 2))
        larger.cells[0].store(UInt(larger.count), ordering: .relaxed)
        if let old {
          for cell in 1..<old.count {
            larger.cells[cell].store(old.cells[cell].load(ordering: .relaxed), ordering: .relaxed)
          }
        }
        table = larger
      }
      guard let table else { return }
      table.cells[index].store(UInt(bitPattern: text), ordering: .releasing)
      current.store(UInt(bitPattern: table.cells), ordering: .releasing)
      watch(UnsafeRawPointer(table.cells))
    }
  }

  /// The name behind a number, or nil.
  ///
  /// Any thread; the text is never freed.
  func name(of id: UInt32) -> UnsafePointer<CChar>? {
    if let page { return page.page.name(of: id, page.family) }
    guard let cells = UnsafeMutablePointer<Cell>(bitPattern: current.load(ordering: .acquiring)),
      UInt(id) + 1 < cells[0].load(ordering: .relaxed)
    else { return nil }
    return UnsafePointer(bitPattern: cells[Int(id) + 1].load(ordering: .acquiring))
  }
}
