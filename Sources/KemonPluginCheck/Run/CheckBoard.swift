// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonEvents

// Unchecked: the memory is shared by two processes on purpose. The one under check writes, the other one reads when
// that has ended; inside it one thread at a time calls the plugin's handlers and leaves a crumb.
/// What the process of a check tells the one that waits for it, in memory that survives a crash: how the check ended,
/// and which handler is in which event right now.
final class CheckBoard: @unchecked Sendable {
  /// The descriptor by which the process of a check finds the board.
  static let descriptor: Int32 = 3

  private static let messageLimit = 4096
  private static let recordLimit = 1 << 20
  private static let recordOffset = 8192

  /// How far a check came.
  enum State: UInt32 { case running, passed, failed, skipped }

  /// The handler that was running when the process ended.
  struct Crumb {
    let handler: String
    /// The record's bytes, aligned.
    let record: [UInt64]
    let size: Int
  }

  /// The memory's descriptor on the side that waits.
  let number: Int32
  private let base: UnsafeMutableRawPointer

  /// Makes an empty board; nil when there is no memory.
  convenience init?() {
    let number = ckemon_memfd_create("kemon-check")
    guard number >= 0 else { return nil }
    self.init(mapping: number, isNew: true)
    base.storeBytes(of: getpid(), toByteOffset: 16, as: pid_t.self)
  }

  /// Maps the board that another process has made, which keeps its size whatever a plugin does.
  ///
  /// - Parameter number: taken over; closed at once when the board is not new.
  init?(mapping number: Int32, isNew: Bool = false) {
    let size = Self.recordOffset + Self.recordLimit
    guard !isNew || ftruncate(number, off_t(size)) == 0 && ckemon_memfd_seal_size(number) == 0,
      let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0),
      memory != MAP_FAILED
    else {
      close(number)
      return nil
    }
    self.number = isNew ? number : -1
    base = memory
    if !isNew { close(number) }
  }

  deinit {
    munmap(base, Self.recordOffset + Self.recordLimit)
    if number >= 0 { close(number) }
  }

  // MARK: The check's side

  /// The process that waits.
  var owner: pid_t { base.load(fromByteOffset: 16, as: pid_t.self) }

  /// Says how the check ended.
  func finish(_ state: State, _ message: String) {
    let bytes = Array(message.utf8.prefix(Self.messageLimit))
    (base + 64).copyMemory(from: bytes, byteCount: bytes.count)
    base.storeBytes(of: UInt32(bytes.count), toByteOffset: 4, as: UInt32.self)
    base.storeBytes(of: state.rawValue, as: UInt32.self)
  }

  /// Remembers what a handler is about to be called with.
  func enter(_ handler: String, _ event: UnsafePointer<kemon_event>) {
    let size = min(Int(event.pointee.size), Self.recordLimit)
    let name = Array(handler.utf8.prefix(255))
    (base + Self.recordOffset).copyMemory(from: event, byteCount: size)
    (base + 64 + Self.messageLimit).copyMemory(from: name, byteCount: name.count)
    base.storeBytes(of: UInt32(name.count), toByteOffset: 8, as: UInt32.self)
    base.storeBytes(of: UInt32(size), toByteOffset: 12, as: UInt32.self)
  }

  /// The handler has returned.
  func leave() { base.storeBytes(of: 0, toByteOffset: 12, as: UInt32.self) }

  // MARK: The other side

  var state: State { State(rawValue: base.load(as: UInt32.self)) ?? .running }

  var message: String {
    text(at: 64, count: min(Int(base.load(fromByteOffset: 4, as: UInt32.self)), Self.messageLimit))
  }

  /// Where the process was in the plugin's handlers; nil when it was in none.
  var crumb: Crumb? {
    let size = min(Int(base.load(fromByteOffset: 12, as: UInt32.self)), Self.recordLimit)
    guard size > 0 else { return nil }
    let name = min(Int(base.load(fromByteOffset: 8, as: UInt32.self)), 255)
    var record = [UInt64](repeating: 0, count: (size + 7) / 8)
    record.withUnsafeMutableBytes {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: base + Self.recordOffset, count: size))
    }
    return Crumb(
      handler: text(at: 64 + Self.messageLimit, count: name), record: record, size: size)
  }

  private func text(at offset: Int, count: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: base + offset, count: count), as: UTF8.self)
  }
}
