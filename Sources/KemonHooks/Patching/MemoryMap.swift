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
    // Made into a text where it is needed: most names never are.
    fileprivate let nameBytes: ArraySlice<UInt8>

    /// The file, or a name in brackets; empty for anonymous memory.
    var name: String { String(decoding: nameBytes, as: UTF8.self) }
  }

  let regions: [Region]

  init(regions: [Region]) { self.regions = regions }

  /// Reads `/proc/self/maps`.
  init() throws(HookError) {
    let descriptor = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw HookError(
        .system, at: 0, "/proc/self/maps can not be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var text: [UInt8] = []
    // The kernel hands over a page at a time.
    var buffer = [UInt8](repeating: 0, count: 8 * 1024)
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
  ///
  /// Every attachment reads the whole map, which may have tens of thousands of lines: one pass, no copies.
  static func parse(_ text: [UInt8]) -> [Region] {
    var regions: [Region] = []
    var line = text.startIndex
    while line < text.endIndex {
      let end = text[line...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      if let region = region(text[line..<end]) { regions.append(region) }
      line = end + 1
    }
    return regions
  }

  /// Reads one line: `start-end flags offset device inode   name`.
  private static func region(_ line: ArraySlice<UInt8>) -> Region? {
    var rest = line
    guard let start = takeHexadecimal(&rest), rest.popFirst() == UInt8(ascii: "-"),
      let end = takeHexadecimal(&rest), start < end, rest.popFirst() == UInt8(ascii: " ")
    else { return nil }
    let flags = rest.prefix(4)
    guard flags.count == 4 else { return nil }
    rest = rest.dropFirst(4)
    // Offset, device and inode.
    for _ in 0..<3 {
      rest = rest.drop { $0 == UInt8(ascii: " ") }.drop { $0 != UInt8(ascii: " ") }
    }
    let first = flags.startIndex
    return Region(
      range: start..<end, isReadable: flags[first] == UInt8(ascii: "r"),
      isWritable: flags[first + 1] == UInt8(ascii: "w"),
      isExecutable: flags[first + 2] == UInt8(ascii: "x"),
      isShared: flags[first + 3] == UInt8(ascii: "s"),
      nameBytes: rest.drop { $0 == UInt8(ascii: " ") })
  }

  private static func takeHexadecimal(_ text: inout ArraySlice<UInt8>) -> UInt? {
    var value: UInt = 0
    var digits = 0
    while let byte = text.first {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt(byte - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt(byte - 0x57)
      default: return (1...16).contains(digits) ? value : nil
      }
      digits += 1
      text.removeFirst()
    }
    return (1...16).contains(digits) ? value : nil
  }

  /// Checks that every byte is code that may be changed: readable, executable, not writable, not the kernel's.
  func requireCode(_ range: Range<UInt>) throws(HookError) {
    var next = range.lowerBound
    for region in regions[firstIndex(endingAfter: next)...] {
      guard region.range.lowerBound <= next, next < range.upperBound else { break }
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
      guard !region.nameBytes.starts(with: "[v".utf8) else {
        throw HookError(
          .notCode, at: range.lowerBound, "\(region.name) belongs to the kernel; it is not changed")
      }
      next = region.range.upperBound
    }
    guard next >= range.upperBound else {
      throw HookError(.notCode, at: next, "nothing is mapped there")
    }
  }

  /// Whether every byte is code that may be changed.
  func isCode(_ range: Range<UInt>) -> Bool {
    do {
      try requireCode(range)
      return true
    } catch {
      return false
    }
  }

  private func firstIndex(endingAfter address: UInt) -> Int {
    var low = 0
    var high = regions.count
    while low < high {
      let middle = (low + high) / 2
      if regions[middle].range.upperBound <= address { low = middle + 1 } else { high = middle }
    }
    return low
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
