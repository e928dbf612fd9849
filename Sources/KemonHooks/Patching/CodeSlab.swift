// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// Memory for new code near old code: one anonymous file, mapped executable where the code runs and writable elsewhere.
///
/// No page is ever writable and executable. Slots are given out once and never taken back: a thread may be on its way
/// through one at any time.
struct CodeSlab {
  /// Bytes of one slot.
  static let slotSize = 128
  /// Bytes of one slab.
  static let size = 64 * 1024
  /// How far code may lie from what it refers to, so that any byte of either is in the reach of a rel32.
  static let reach: UInt = 0x7000_0000

  /// Where the code runs.
  let executable: UInt
  /// The same bytes, writable.
  private let writable: UInt
  private var used = 0
  /// A forked child shares the memory: it runs this code, and writes to a slab of its own.
  private let owner = getpid()

  /// Maps a slab near an address.
  ///
  /// - Throws: ``HookError/Code-swift.enum/outOfReach`` when nothing is free there, or `system`.
  init(near address: UInt, in map: MemoryMap) throws(HookError) {
    let descriptor = ckemon_memfd_create("kemon-hooks")
    guard descriptor >= 0 else { throw Self.failure("memfd_create", -descriptor, address) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, Self.size) == 0 else {
      throw Self.failure("ftruncate", errno, address)
    }
    guard
      let writable = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      writable != MAP_FAILED
    else { throw Self.failure("mmap", errno, address) }

    let page = UInt(getpagesize())
    // Another thread may map something into a gap at any time: try the next one then.
    for place in map.gaps(of: UInt(Self.size), near: address, reach: Self.reach, page: page) {
      let flags = MAP_SHARED | Int32(MAP_FIXED_NOREPLACE)
      let wanted = UnsafeMutableRawPointer(bitPattern: place)
      guard
        let found = mmap(wanted, Self.size, PROT_READ | PROT_EXEC, flags, descriptor, 0),
        found != MAP_FAILED
      else { continue }
      guard found == wanted else {
        munmap(found, Self.size)
        continue
      }
      self.executable = place
      self.writable = UInt(bitPattern: writable)
      return
    }
    munmap(writable, Self.size)
    throw HookError(
      .outOfReach, at: address,
      "\(Self.size) bytes for a stub are needed less than 2 GiB away, and nothing is free there")
  }

  /// Whether the slab has a slot, and from there everything near the address is in reach.
  func canServe(_ address: UInt) -> Bool {
    guard used < Self.size / Self.slotSize, owner == getpid() else { return false }
    let distance = executable > address ? executable - address : address - executable
    return distance + UInt(Self.size) <= Self.reach
  }

  /// The address of the slot that ``fill(_:)`` fills next.
  var nextSlot: UInt { executable &+ UInt(used * Self.slotSize) }

  /// Writes the next slot and gives it away for ever.
  mutating func fill(_ bytes: [UInt8]) {
    precondition(bytes.count <= Self.slotSize, "a stub that is larger than its slot")
    precondition(used < Self.size / Self.slotSize, "a full slab")
    let slot = UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(bitPattern: writable &+ UInt(used * Self.slotSize)),
      count: Self.slotSize)
    slot.copyBytes(from: bytes)
    used += 1
  }

  private static func failure(_ call: String, _ code: Int32, _ address: UInt) -> HookError {
    HookError(
      .system, at: address, "\(call) of memory for a stub: \(String(cString: strerror(code)))")
  }
}
