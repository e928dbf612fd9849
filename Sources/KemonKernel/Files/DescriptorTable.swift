// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The open files of a process, by their numbers.
struct DescriptorTable {
  /// How many a process may have: OPEN_MAX.
  static let limit = 10240

  private enum Slot {
    case free
    /// An open that is under way.
    case reserved
    case open(OpenFile)
  }

  private var slots: [Slot] = []
  /// No number below it is free.
  private var lowest = 0
  /// How many are open.
  private(set) var count = 0
  /// Whether the process has ended, perhaps by a signal while it was opening something.
  private var hasEnded = false

  /// Takes the lowest free number.
  ///
  /// - Throws: EMFILE, or ESRCH when the process has ended.
  mutating func reserve() throws(DarwinErrno) -> Int32 {
    guard !hasEnded else { throw .ESRCH }
    var number = lowest
    while number < slots.count {
      if case .free = slots[number] { break }
      number += 1
    }
    guard number < Self.limit else { throw .EMFILE }
    if number == slots.count { slots.append(.reserved) } else { slots[number] = .reserved }
    lowest = number + 1
    return Int32(number)
  }

  /// Lets a reserved number mean a file.
  ///
  /// - Throws: ESRCH when the process has ended meanwhile.
  mutating func publish(_ number: Int32, _ file: OpenFile) throws(DarwinErrno) {
    guard !hasEnded else { throw .ESRCH }
    slots[Int(number)] = .open(file)
    count += 1
  }

  /// Gives a reserved number back.
  mutating func release(_ number: Int32) {
    guard !hasEnded else { return }
    slots[Int(number)] = .free
    lowest = min(lowest, Int(number))
  }

  /// The file of a number.
  func file(_ number: Int32) throws(DarwinErrno) -> OpenFile {
    guard slots.indices.contains(Int(number)), case .open(let file) = slots[Int(number)] else {
      throw .EBADF
    }
    return file
  }

  /// Begins to close: nobody else finds the file, and the number is not given out before it is released.
  mutating func beginClose(_ number: Int32) throws(DarwinErrno) -> OpenFile {
    let file = try file(number)
    slots[Int(number)] = .reserved
    count -= 1
    return file
  }

  /// The table of a child: opens that are under way are not its own.
  func forked() -> DescriptorTable {
    var child = self
    for number in slots.indices {
      if case .reserved = slots[number] { child.release(Int32(number)) }
    }
    return child
  }

  /// Drops the files that were opened so that they end with the image.
  mutating func removeClosedOnExec() {
    for number in slots.indices {
      guard case .open(let file) = slots[number], file.mode & KERNEL_O_CLOEXEC != 0 else {
        continue
      }
      release(Int32(number))
      count -= 1
    }
  }

  /// Drops every file; there will be none any more.
  mutating func end() {
    hasEnded = true
    slots = []
    lowest = 0
    count = 0
  }
}

// Unchecked: `offset` and `isWritten` are reached under the lock for the vnode's contents.
/// An open file: what a descriptor means.
final class OpenFile: @unchecked Sendable {
  let vnode: Vnode
  let mode: Int32
  /// Where the next byte is read or written.
  var offset = 0
  /// Whether something was written through it.
  var isWritten = false

  init(_ vnode: Vnode, mode: Int32) {
    self.vnode = vnode
    self.mode = mode
  }
}
