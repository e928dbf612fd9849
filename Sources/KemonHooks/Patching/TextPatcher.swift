// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// Changes bytes of code that other threads may be running.
///
/// The pages are replaced by changed copies in one system call: a thread that arrives sees all old bytes or all new
/// ones, whatever their alignment, and no page is ever writable and executable. What this can not do is to move a thread
/// that has stopped between two of the instructions being replaced: that needs the promise of
/// ``PatchSafety/quiescent``.
///
/// The replaced pages become anonymous memory: a kernel probe (uprobe) that stands in one of them is lost.
enum TextPatcher {
  /// Replaces bytes.
  ///
  /// - Parameters:
  ///   - bytes: what stands there afterwards.
  ///   - address: inside code, see ``MemoryMap/requireCode(_:)``.
  static func write(_ bytes: [UInt8], at address: UInt) throws(HookError) {
    let page = UInt(getpagesize())
    let first = address / page * page
    let size = Int((address &+ UInt(bytes.count) &+ page - 1) / page * page &- first)
    guard let pages = UnsafeMutableRawPointer(bitPattern: first) else {
      throw HookError(.notCode, at: address, "nothing is mapped there")
    }
    var content = Array(UnsafeRawBufferPointer(start: pages, count: size))
    let offset = Int(address &- first)
    content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    let status = content.withUnsafeBytes { copy in
      copy.baseAddress.map { ckemon_text_replace(pages, $0, copy.count) } ?? 0
    }
    guard status == 0 else {
      throw HookError(
        .system, at: address,
        "\(size) bytes of code can not be replaced: \(String(cString: strerror(-status)))")
    }
  }

  /// The bytes that stand in memory now.
  static func read(_ range: Range<UInt>) -> [UInt8] {
    Array(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: range.lowerBound), count: range.count))
  }
}
