// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// A few bytes of code to be replaced.
struct CodeWrite {
  let address: UInt
  /// What stands there now.
  let old: [UInt8]
  let new: [UInt8]
}

/// Where a stopped thread goes on when the instruction that it is at is replaced.
struct ThreadMove {
  let from: UInt
  let to: UInt
}

/// How other threads are kept out while code is changed.
enum StopRule {
  /// None of them is where it matters.
  case none
  /// Stop them, and move those that are at replaced instructions.
  case stop(moves: [ThreadMove], milliseconds: UInt32)
}

/// Changes bytes of code that other threads may be running.
///
/// Pages are replaced by changed copies, a run of pages in one system call: a thread that arrives sees all old bytes
/// or all new ones, whatever their alignment, and no page is ever writable and executable.
///
/// The replaced pages become anonymous memory: a kernel probe (uprobe) that stands in one of them is lost.
enum TextPatcher {
  /// Makes all changes or none.
  ///
  /// - Parameters:
  ///   - writes: inside code, see ``MemoryMap/requireCode(_:)``; none overlaps another.
  ///   - rule: what to do about other threads.
  ///   - map: the mappings as they are.
  /// - Throws: ``HookError/Code-swift.enum/changed``, `busy` or `system`.
  @discardableResult
  static func apply(
    _ writes: [CodeWrite], _ rule: StopRule, in map: MemoryMap
  ) throws(HookError) -> ckemon_text_report {
    guard let first = writes.first else { return ckemon_text_report() }
    for write in writes {
      let found = read(write.address..<(write.address &+ UInt(write.old.count)))
      guard found == write.old else {
        throw HookError(
          .changed, at: write.address, "\(found) stands there instead of \(write.old)")
      }
    }
    let pages = PageRuns(of: writes, in: map)
    var moves: [ckemon_move] = []
    var change = ckemon_text_change()
    let after = try MemoryFile(pages.content(with: writes, \.new), for: first.address)
    var before: MemoryFile?
    var trapped: MemoryFile?
    if case .stop(let wanted, let milliseconds) = rule {
      moves = wanted.map { ckemon_move(from: $0.from, to: $0.to) }.sorted { $0.from < $1.from }
      trapped = try MemoryFile(
        pages.content(with: writes) { [0xCC] + $0.old.dropFirst() }, for: first.address)
      change.stops = 1
      change.timeout_ms = milliseconds
    }
    if change.stops != 0 || pages.runs.count > 1 {
      before = try MemoryFile(pages.content(with: writes, \.old), for: first.address)
    }
    change.after = after.descriptor
    change.before = before?.descriptor ?? -1
    change.trapped = trapped?.descriptor ?? -1
    var report = ckemon_text_report()
    let status = withExtendedLifetime((after, before, trapped)) {
      run(&change, pages.runs, moves, writes.map(\.address).sorted(), &report)
    }
    guard status == 0 else { throw failure(status, report, at: first.address, in: pages) }
    return report
  }

  private static func run(
    _ change: inout ckemon_text_change, _ runs: [ckemon_text_run], _ moves: [ckemon_move],
    _ traps: [UInt], _ report: inout ckemon_text_report
  ) -> Int32 {
    runs.withUnsafeBufferPointer { runs in
      moves.withUnsafeBufferPointer { moves in
        traps.withUnsafeBufferPointer { traps in
          change.runs = runs.baseAddress
          change.run_count = runs.count
          change.moves = moves.baseAddress
          change.move_count = moves.count
          change.traps = traps.baseAddress
          change.trap_count = traps.count
          return ckemon_text_apply(&change, &report)
        }
      }
    }
  }

  private static func failure(
    _ status: Int32, _ report: ckemon_text_report, at address: UInt, in pages: PageRuns
  ) -> HookError {
    if status == -EAGAIN {
      return HookError(
        .busy, at: address, "\(reason(report)); nothing has changed: try again")
    }
    return HookError(
      .system, at: address,
      "\(pages.size) bytes of code can not be replaced: \(String(cString: strerror(-status)))")
  }

  /// Which thread did not stop, and why, as far as that is known.
  private static func reason(_ report: ckemon_text_report) -> String {
    guard report.unstopped != 0 else { return "there are too many threads to be stopped" }
    let why =
      report.signal == 0
      ? "it blocks all signals (0x\(String(report.blocked, radix: 16)))"
      : "it did not take signal \(report.signal)"
    return "thread \(report.unstopped) could not be stopped in time, as \(why)"
  }

  /// The bytes that stand in memory now.
  static func read(_ range: Range<UInt>) -> [UInt8] {
    Array(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: range.lowerBound), count: range.count))
  }
}

/// A sealed memory file.
private final class MemoryFile {
  let descriptor: Int32

  init(_ content: [UInt8], for address: UInt) throws(HookError) {
    descriptor = ckemon_memfd_create("kemon-text")
    guard descriptor >= 0 else { throw Self.failure(-descriptor, address) }
    var done = 0
    while done < content.count {
      let count = content.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      guard count > 0 || errno == EINTR else { throw Self.failure(errno, address) }
      done += max(count, 0)
    }
    let status = ckemon_memfd_seal(descriptor)
    guard status == 0 else { throw Self.failure(-status, address) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  private static func failure(_ code: Int32, _ address: UInt) -> HookError {
    HookError(
      .system, at: address, "no file for changed code: \(String(cString: strerror(code)))")
  }
}
