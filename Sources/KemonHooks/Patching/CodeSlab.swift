// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// Memory for new code near old code: one anonymous file, mapped executable where the code runs and writable elsewhere.
///
/// No page is ever writable and executable. Slots are given out once and never taken back: a thread may be on its way
/// through one at any time.
struct CodeSlab {
  /// Slots begin at multiples of this.
  static let alignment = 32
  /// Bytes of one slab; only what is used takes memory.
  static let size = 1 << 20
  /// How far code may lie from what it refers to, so that any byte of either is in the reach of a rel32.
  static let reach: UInt = 0x7000_0000

  /// Where the code runs.
  let executable: UInt
  /// The same bytes, writable.
  private let writable: UInt
  private var used = 0
  /// Bytes that are left.
  var room: Int { owner == getpid() ? Self.size - used : 0 }
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

  /// Whether everything near the address is in reach from the slab, and there is room for a slot.
  func canServe(_ address: UInt, _ count: Int) -> Bool {
    guard count <= room else { return false }
    let distance = executable > address ? executable - address : address - executable
    return distance + UInt(Self.size) <= Self.reach
  }

  /// The address of the slot that ``fill(_:)`` fills next.
  var nextSlot: UInt { executable &+ UInt(used) }

  /// Whether an address is in it.
  func holds(_ address: UInt) -> Bool { address &- executable < UInt(Self.size) }

  /// Writes the next slot and gives it away for ever.
  mutating func fill(_ bytes: [UInt8]) {
    precondition(bytes.count <= room, "a stub that is larger than its slab")
    store(bytes, at: nextSlot)
    used += (bytes.count + Self.alignment - 1) & ~(Self.alignment - 1)
  }

  /// Changes data of a slot that was given away.
  func store(_ bytes: [UInt8], at address: UInt) {
    let slot = UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(bitPattern: writable &+ (address &- executable)),
      count: bytes.count)
    slot.copyBytes(from: bytes)
  }

  private static func failure(_ call: String, _ code: Int32, _ address: UInt) -> HookError {
    HookError(
      .system, at: address, "\(call) of memory for a stub: \(String(cString: strerror(code)))")
  }
}
