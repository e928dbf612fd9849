// SPDX-License-Identifier: Apache-2.0

internal import CFFI
internal import CKemonPlatform
internal import Glibc
internal import KemonPlatform

/// Memory for functions that libffi makes: one anonymous file, mapped executable where they run and writable elsewhere.
///
/// libffi's own memory is writable and executable at a time. Any thread.
enum ThunkMemory {
  /// A place for one function: the same bytes twice.
  struct Slot {
    /// Where it is written.
    let closure: UnsafeMutablePointer<ffi_closure>
    /// Where it runs.
    let code: UnsafeMutableRawPointer
  }

  private static let free = PosixLock<[Address]>([])

  /// A slot's addresses, which go from thread to thread.
  private struct Address {
    let writable: UInt
    let executable: UInt
  }

  private static let slabSize = 1 << 16
  private static let slotSize = (MemoryLayout<ffi_closure>.size + 63) & ~63

  /// Hands out a place; nil when the system has no memory.
  static func take() -> Slot? {
    let address = free.withLock { free in
      if free.isEmpty { free = makeSlab() }
      return free.popLast()
    }
    guard let address,
      let closure = UnsafeMutablePointer<ffi_closure>(bitPattern: address.writable),
      let code = UnsafeMutableRawPointer(bitPattern: address.executable)
    else { return nil }
    return Slot(closure: closure, code: code)
  }

  /// Takes a place back whose function nobody calls any more.
  static func giveBack(_ slot: Slot) {
    let address = Address(
      writable: UInt(bitPattern: slot.closure), executable: UInt(bitPattern: slot.code))
    free.withLock { $0.append(address) }
  }

  /// Maps more; nothing when the system refuses.
  private static func makeSlab() -> [Address] {
    let descriptor = ckemon_memfd_create("kemon-thunks")
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    guard ftruncate(descriptor, slabSize) == 0,
      let writable = map(descriptor, PROT_READ | PROT_WRITE)
    else { return [] }
    guard let executable = map(descriptor, PROT_READ | PROT_EXEC) else {
      munmap(writable, slabSize)
      return []
    }
    return stride(from: 0, to: slabSize, by: slotSize).map { offset in
      Address(
        writable: UInt(bitPattern: writable + offset),
        executable: UInt(bitPattern: executable + offset))
    }
  }

  private static func map(_ descriptor: Int32, _ protection: Int32) -> UnsafeMutableRawPointer? {
    let memory = mmap(nil, slabSize, protection, MAP_SHARED, descriptor, 0)
    return memory == MAP_FAILED ? nil : memory
  }
}
