// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The mappings of this process at one moment, in ascending order.
struct MemoryMap {
  struct Region: Equatable {
    let range: Range<UInt>
    let isReadable: Bool
    let isWritable: Bool
    let isExecutable: Bool
    /// Whether other mappings of the same memory see changes.
    let isShared: Bool
    /// The file, or a name in brackets; empty for anonymous memory.
    let name: String
  }

  let regions: [Region]

  /// Reads `/proc/self/maps`.
  init() throws(HookError) {
    let descriptor = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw HookError(
        .system, at: 0, "/proc/self/maps can not be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw HookError(
          .system, at: 0, "/proc/self/maps can not be read: \(String(cString: strerror(errno)))")
      }
      if count == 0 { break }
      text += buffer[..<count]
    }
    regions = Self.parse(text)
  }

  /// Reads the text of a maps file; lines of another form are left out.
  static func parse(_ text: some Collection<UInt8>) -> [Region] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(
        separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: true)
      guard fields.count >= 5 else { return nil }
      let bounds = fields[0].split(separator: UInt8(ascii: "-"))
      guard bounds.count == 2, let start = hexadecimal(bounds[0]), let end = hexadecimal(bounds[1]),
        start < end
      else { return nil }
      let flags = Array(fields[1])
      let name = fields.count > 5 ? fields[5].drop { $0 == UInt8(ascii: " ") } : []
      return Region(
        range: start..<end, isReadable: flags.contains(UInt8(ascii: "r")),
        isWritable: flags.contains(UInt8(ascii: "w")),
        isExecutable: flags.contains(UInt8(ascii: "x")),
        isShared: flags.contains(UInt8(ascii: "s")), name: String(decoding: name, as: UTF8.self)
      )
    }
  }

  private static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt? {
    UInt(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  /// Checks that every byte is code that may be changed: readable, executable, not writable, not the kernel's.
  func requireCode(_ range: Range<UInt>) throws(HookError) {
    var next = range.lowerBound
    for region in regions where region.range.overlaps(range) {
      guard region.range.lowerBound <= next else { break }
      guard region.isReadable, region.isExecutable, !region.isWritable else {
        throw HookError(
          .notCode, at: range.lowerBound,
          "the mapping \(region.name) there is not readable and executable only")
      }
      // Replacing a page would cut it off from whoever writes to it elsewhere: a compiler, or our own slabs.
      guard !region.isShared else {
        throw HookError(
          .notCode, at: range.lowerBound, "\(region.name) is shared with other mappings")
      }
      guard !region.name.hasPrefix("[v") else {
        throw HookError(
          .notCode, at: range.lowerBound, "\(region.name) belongs to the kernel; it is not changed")
      }
      next = region.range.upperBound
    }
    guard next >= range.upperBound else {
      throw HookError(.notCode, at: next, "nothing is mapped there")
    }
  }

  /// Free places of a size, the nearest to an address first, none farther than `reach`.
  func gaps(of size: UInt, near address: UInt, reach: UInt, page: UInt) -> [UInt] {
    var places: [UInt] = []
    var free = page * 16
    for region in regions {
      if region.range.lowerBound > free, region.range.lowerBound - free >= size {
        // The end of the gap that is closer to the address.
        let low = (free + page - 1) / page * page
        let high = (region.range.lowerBound - size) / page * page
        if low <= high { places.append(min(max(address / page * page, low), high)) }
      }
      free = max(free, region.range.upperBound)
    }
    func distance(_ place: UInt) -> UInt {
      place > address ? place - address + size : address - place
    }
    return places.filter { distance($0) <= reach }.sorted { distance($0) < distance($1) }
  }
}
