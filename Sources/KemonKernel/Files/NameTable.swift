// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The names of a directory: bytes, looked up in place without making a key.
///
/// Linear probing in a table of a power of two that is at most half full, removal by moving back. Names are compared as
/// they are: no case folding, no normal form.
struct NameTable {
  private struct Entry {
    var hash: UInt64
    var name: [UInt8]
    /// Nil for a free place.
    var vnode: Vnode?
  }

  private var entries: [Entry] = []
  /// How many names there are.
  private(set) var count = 0

  /// Whether there are no names.
  var isEmpty: Bool { count == 0 }

  /// The vnode of a name.
  func find(_ name: UnsafeRawBufferPointer) -> Vnode? {
    guard count > 0 else { return nil }
    let place = place(of: name, Self.hash(name))
    return entries[place].vnode
  }

  /// Adds a name that is not there.
  mutating func insert(_ name: [UInt8], _ vnode: Vnode) {
    if (count + 1) * 2 > entries.count { grow() }
    let hash = name.withUnsafeBytes { Self.hash($0) }
    let place = name.withUnsafeBytes { self.place(of: $0, hash) }
    assert(entries[place].vnode == nil, "a name is there twice")
    entries[place] = Entry(hash: hash, name: name, vnode: vnode)
    count += 1
  }

  /// Lets a name that is there mean another vnode.
  mutating func replace(_ name: UnsafeRawBufferPointer, with vnode: Vnode) {
    let place = place(of: name, Self.hash(name))
    assert(entries[place].vnode != nil, "no such name")
    entries[place].vnode = vnode
  }

  /// Takes a name out.
  mutating func remove(_ name: UnsafeRawBufferPointer) {
    guard count > 0 else { return }
    var free = place(of: name, Self.hash(name))
    guard entries[free].vnode != nil else { return }
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
    entries[free] = Entry(hash: 0, name: [], vnode: nil)
    count -= 1
  }

  /// All names and vnodes, in no order.
  var all: [(name: [UInt8], vnode: Vnode)] {
    entries.compactMap { entry in entry.vnode.map { (entry.name, $0) } }
  }

  /// Forgets all names.
  mutating func removeAll() {
    entries = []
    count = 0
  }

  private mutating func grow() {
    let old = entries
    entries = Array(
      repeating: Entry(hash: 0, name: [], vnode: nil), count: max(8, old.count * 2))
    let mask = entries.count - 1
    for entry in old where entry.vnode != nil {
      var place = Int(truncatingIfNeeded: entry.hash) & mask
      while entries[place].vnode != nil { place = (place + 1) & mask }
      entries[place] = entry
    }
  }

  /// Where a name is, or the free place where it would be.
  private func place(of name: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
    entries.withUnsafeBufferPointer { entries in
      let mask = entries.count - 1
      var place = Int(truncatingIfNeeded: hash) & mask
      while entries[place].vnode != nil {
        if entries[place].hash == hash, Self.isEqual(entries[place].name, name) { return place }
        place = (place + 1) & mask
      }
      return place
    }
  }

  @inline(__always)
  private static func isEqual(_ left: [UInt8], _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count, let start = right.baseAddress else { return false }
    return left.withUnsafeBytes { left in
      left.baseAddress.map { memcmp($0, start, left.count) == 0 } ?? false
    }
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
