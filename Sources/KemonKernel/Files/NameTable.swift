// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The names of a directory: bytes, looked up in place without making a key and without counting references.
///
/// Linear probing in a table of a power of two that is at most half full, removal by moving back. Names are compared as
/// they are: no case folding, no normal form. Holds its vnodes.
struct NameTable: ~Copyable {
  private struct Entry {
    var hash: UInt64 = 0
    /// The table's own copy.
    var name = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Nil for a free place.
    var vnode: Unmanaged<Vnode>?

    func free() {
      vnode?.release()
      name.deallocate()
    }
  }

  private var entries = UnsafeMutableBufferPointer<Entry>(start: nil, count: 0)
  /// How many names there are.
  private(set) var count = 0

  deinit { free() }

  private func free() {
    for entry in entries { entry.free() }
    entries.deallocate()
  }

  /// Whether there are no names.
  var isEmpty: Bool { count == 0 }

  /// The vnode of a name.
  func find(_ name: UnsafeRawBufferPointer) -> Vnode? { place(of: name)?.takeUnretainedValue() }

  /// The same, as it is in the table: it stays there as long as the tree does not change.
  @inline(__always)
  func place(of name: UnsafeRawBufferPointer) -> Unmanaged<Vnode>? {
    count > 0 ? entries[index(of: name, Self.hash(name))].vnode : nil
  }

  /// Adds a name that is not there.
  mutating func insert(_ name: [UInt8], _ vnode: Vnode) {
    if (count + 1) * 2 > entries.count { grow() }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: name.count, alignment: 1)
    copy.copyBytes(from: name)
    let bytes = UnsafeRawBufferPointer(copy)
    let hash = Self.hash(bytes)
    let place = index(of: bytes, hash)
    assert(entries[place].vnode == nil, "a name is there twice")
    entries[place] = Entry(hash: hash, name: bytes, vnode: Unmanaged.passRetained(vnode))
    count += 1
  }

  /// Lets a name that is there mean another vnode.
  mutating func replace(_ name: UnsafeRawBufferPointer, with vnode: Vnode) {
    let place = index(of: name, Self.hash(name))
    assert(entries[place].vnode != nil, "no such name")
    let before = entries[place].vnode
    entries[place].vnode = Unmanaged.passRetained(vnode)
    before?.release()
  }

  /// Takes a name out.
  mutating func remove(_ name: UnsafeRawBufferPointer) {
    guard count > 0 else { return }
    var free = index(of: name, Self.hash(name))
    let removed = entries[free]
    guard removed.vnode != nil else { return }
    let mask = entries.count - 1
    var next = (free + 1) & mask
    while entries[next].vnode != nil {
      // An entry may move back when its own place is not behind the free one.
      let home = Int(truncatingIfNeeded: entries[next].hash) & mask
      if (next &- home) & mask >= (next &- free) & mask {
        entries.swapAt(free, next)
        free = next
      }
      next = (next + 1) & mask
    }
    entries[free] = Entry()
    count -= 1
    removed.free()
  }

  /// All names and vnodes, in no order.
  var all: [(name: [UInt8], vnode: Vnode)] {
    entries.compactMap { entry in
      entry.vnode.map { (Array(entry.name), $0.takeUnretainedValue()) }
    }
  }

  /// Forgets all names.
  mutating func removeAll() {
    free()
    entries = UnsafeMutableBufferPointer(start: nil, count: 0)
    count = 0
  }

  private mutating func grow() {
    let old = entries
    entries = .allocate(capacity: max(8, old.count * 2))
    entries.initialize(repeating: Entry())
    let mask = entries.count - 1
    for entry in old where entry.vnode != nil {
      var place = Int(truncatingIfNeeded: entry.hash) & mask
      while entries[place].vnode != nil { place = (place + 1) & mask }
      entries[place] = entry
    }
    old.deallocate()
  }

  /// Where a name is, or the free place where it would be.
  @inline(__always)
  private func index(of name: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
    let mask = entries.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while entries[place].vnode != nil {
      if entries[place].hash == hash, Self.isEqual(entries[place].name, name) { return place }
      place = (place + 1) & mask
    }
    return place
  }

  @inline(__always)
  private static func isEqual(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    guard left.count == right.count, let start = left.baseAddress, let other = right.baseAddress
    else { return false }
    return memcmp(start, other, left.count) == 0
  }

  /// Eight bytes at a time, multiplied and folded.
  static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(name.count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index < name.count {
      var word: UInt64 = 0
      if index + 8 <= name.count {
        word = name.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      } else {
        for rest in index..<name.count { word = word << 8 | UInt64(name[rest]) }
      }
      let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
      hash = product.high ^ product.low
      index += 8
    }
    return hash
  }
}
