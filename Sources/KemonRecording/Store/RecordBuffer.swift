// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// A growing run of records, one behind the other, each at a multiple of 8: the batch of a writer, and what an arena
/// is made from.
///
/// Sendable though it holds a pointer: the memory has one owner, is copied into and never shared while it changes.
struct RecordBuffer: ~Copyable, @unchecked Sendable {
  private(set) var base: UnsafeMutableRawPointer
  /// Where each record starts, in bytes from the base.
  private(set) var offsets: [Int] = []
  /// Bytes in use.
  private(set) var byteCount = 0
  private var allocated: Int

  init(byteCapacity: Int = 64 * 1024) {
    allocated = max(byteCapacity, 1024)
    base = .allocate(byteCount: allocated, alignment: 8)
  }

  deinit { base.deallocate() }

  var count: Int { offsets.count }

  /// The record at an index; valid until the buffer changes.
  subscript(index: Int) -> RecordView {
    RecordView(
      trusted: UnsafePointer((base + offsets[index]).assumingMemoryBound(to: kemon_event.self)))
  }

  /// Takes a copy of a record.
  mutating func append(_ record: RecordView) {
    let target = reserve(record.size)
    target.copyMemory(from: record.bytes)
    keep(record.size)
  }

  /// Takes a copy of bytes from outside, if they are a record.
  ///
  /// - Parameter kinds: the numbers of kinds that were declared.
  mutating func append(
    validating bytes: UnsafeRawBufferPointer, _ kinds: DeclaredKindMap
  ) throws(RecordError) {
    // The check needs aligned bytes, which SQLite does not promise: copied first, kept only when sound.
    let target = reserve(bytes.count)
    target.copyMemory(from: bytes)
    try kinds.apply(to: target)
    let record = try RecordView(validating: UnsafeRawBufferPointer(target))
    keep(record.size)
  }

  /// Forgets the records and keeps the memory.
  mutating func removeAll() {
    offsets.removeAll(keepingCapacity: true)
    byteCount = 0
  }

  private mutating func reserve(_ size: Int) -> UnsafeMutableRawBufferPointer {
    if byteCount + size + 8 > allocated {
      allocated = max(allocated * 2, byteCount + size + 8)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: allocated, alignment: 8)
      larger.copyMemory(from: base, byteCount: byteCount)
      base.deallocate()
      base = larger
    }
    return UnsafeMutableRawBufferPointer(start: base + byteCount, count: size)
  }

  private mutating func keep(_ size: Int) {
    offsets.append(byteCount)
    byteCount += (size + 7) & ~7
  }
}
