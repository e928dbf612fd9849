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
    var ranges: [Range<UInt>] = []
    for write in writes.sorted(by: { $0.address < $1.address }) {
      let start = write.address / page * page
      let end = (write.address &+ UInt(write.new.count) &+ page - 1) / page * page
      if let last = ranges.last, start <= last.upperBound &+ Self.smallGap * page,
        start <= last.upperBound || map.isCode(last.upperBound..<end)
      {
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, end)
      } else {
        ranges.append(start..<end)
      }
    }
    for range in ranges {
      runs.append(
        ckemon_text_run(
          address: range.lowerBound, size: UInt64(range.count), offset: UInt64(size)))
      size += range.count
    }
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
