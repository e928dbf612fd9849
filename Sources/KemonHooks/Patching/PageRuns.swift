// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// The whole pages around some changes, as few pieces as is cheap.
struct PageRuns {
  /// Ascending; their offsets count through one file.
  private(set) var runs: [ckemon_text_run] = []
  /// Bytes of all.
  private(set) var size = 0

  /// So many pages between two changes are copied rather than left out: a mapping costs more than they do, and systems
  /// limit the number of mappings.
  private static let smallGap: UInt = 16

  init(of writes: [CodeWrite], in map: MemoryMap) {
    let page = UInt(getpagesize())
    for write in writes.sorted(by: { $0.address < $1.address }) {
      let start = write.address / page * page
      let end = (write.address &+ UInt(write.new.count) &+ page - 1) / page * page
      if let last = runs.last, let reached = Self.join(last, start..<end, page, map) {
        size += Int(reached &- last.address) - Int(last.size)
        runs[runs.count - 1].size = UInt64(reached &- last.address)
      } else {
        runs.append(
          ckemon_text_run(address: start, size: UInt64(end &- start), offset: UInt64(size)))
        size += Int(end &- start)
      }
    }
  }

  /// Where a run ends that is continued by some pages; nil when they are too far away.
  private static func join(
    _ run: ckemon_text_run, _ pages: Range<UInt>, _ page: UInt, _ map: MemoryMap
  ) -> UInt? {
    let end = run.address &+ UInt(run.size)
    guard pages.lowerBound <= end &+ smallGap * page,
      pages.lowerBound <= end || map.isCode(end..<pages.upperBound)
    else { return nil }
    return max(end, pages.upperBound)
  }

  /// What the pages hold now, changed.
  func content(with writes: [CodeWrite], _ bytes: (CodeWrite) -> [UInt8]) -> [UInt8] {
    var content: [UInt8] = []
    content.reserveCapacity(size)
    for run in runs { content += TextPatcher.read(run.address..<(run.address &+ UInt(run.size))) }
    for write in writes {
      guard let run = runs.last(where: { $0.address <= write.address }) else { continue }
      let offset = Int(run.offset) + Int(write.address &- run.address)
      let new = bytes(write)
      content.replaceSubrange(offset..<(offset + new.count), with: new)
    }
    return content
  }
}
