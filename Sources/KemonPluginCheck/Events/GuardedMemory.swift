// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Pages that end where an inaccessible one begins, and whose rights can be taken away.
///
/// Never unmapped: an address that has been given to a plugin is never used for anything else.
struct GuardedMemory {
  private let base: UnsafeMutableRawPointer
  private let length: Int

  /// Maps room for so many bytes.
  init(count: Int) throws(Finding) {
    let page = Int(getpagesize())
    length = (count + page - 1) / page * page
    guard
      let memory = mmap(
        nil, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED, mprotect(memory + length, page, PROT_NONE) == 0
    else { throw .skipped("no memory for \(count) bytes") }
    base = memory
  }

  /// Copies bytes to the very end; what follows them cannot be read.
  func place(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer {
    let place = base + length - bytes.count
    if let source = bytes.baseAddress { place.copyMemory(from: source, byteCount: bytes.count) }
    return place
  }

  /// Lets nobody write any more.
  func makeReadOnly() { mprotect(base, length, PROT_READ) }

  /// Lets everybody write again.
  func makeWritable() { mprotect(base, length, PROT_READ | PROT_WRITE) }

  /// Lets nobody touch it any more.
  func retire() { mprotect(base, length, PROT_NONE) }
}
