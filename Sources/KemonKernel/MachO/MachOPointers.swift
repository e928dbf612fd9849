// SPDX-License-Identifier: Apache-2.0

/// How an image writes pointers: as they are, or as links of a chain that the loader follows.
///
/// Kexts for Intel have plain pointers with relocations beside them; those for Apple silicon have chains, whose links
/// hold the target in some bits. Only where a link points is read: chains are not followed.
struct MachOPointers: Sendable {
  /// By segment: from where to where, and the format of its links.
  private let formats: [(segment: MachOSegment, format: UInt16)]
  private let base: UInt64

  /// Reads the formats of an LC_DYLD_CHAINED_FIXUPS.
  ///
  /// - Parameter fixups: its data; nil when all pointers are plain.
  init(fixups: MachOBytes?, segments: [MachOSegment]) throws(MachOError) {
    base = segments.filter { $0.size > 0 }.map(\.address).min() ?? 0
    guard let fixups else {
      formats = []
      return
    }
    let what = "the fixups"
    let start = UInt64(try fixups.number(at: 4, as: UInt32.self, what))
    let count: UInt32 = try fixups.number(at: start, what)
    guard count <= UInt32(segments.count) else {
      throw fixups.malformed(start, "fixups for \(count) segments, there are \(segments.count)")
    }
    var formats: [(MachOSegment, UInt16)] = []
    for index in 0..<UInt64(count) {
      let place: UInt32 = try fixups.number(at: start + 4 + index * 4, what)
      guard place != 0 else { continue }
      let format: UInt16 = try fixups.number(at: start + UInt64(place) + 6, what)
      formats.append((segments[Int(index)], format))
    }
    self.formats = formats
  }

  /// Where the pointer written as a word points; nil when it is an import.
  func target(of word: UInt64, at address: UInt64) -> UInt64? {
    guard word != 0, let format = formats.first(where: { $0.segment.contains(address) })?.format
    else { return word }
    let isAuthenticated = word >> 63 != 0
    switch format {
    // ARM64E, ARM64E_USERLAND, ARM64E_USERLAND24: bit 62 binds to an import.
    case 1, 9, 12:
      guard word >> 62 & 1 == 0 else { return nil }
      if isAuthenticated { return base &+ (word & 0xFFFF_FFFF) }
      return format == 1 ? word & 0x7FF_FFFF_FFFF : base &+ (word & 0x7FF_FFFF_FFFF)
    // PTR_64 and PTR_64_OFFSET: bit 63 binds.
    case 2, 6:
      guard !isAuthenticated else { return nil }
      let target = word & 0xF_FFFF_FFFF
      return format == 2 ? target : base &+ target
    // ARM64E_KERNEL: offsets from the base.
    case 7:
      guard word >> 62 & 1 == 0 else { return nil }
      return base &+ (isAuthenticated ? word & 0xFFFF_FFFF : word & 0x7FF_FFFF_FFFF)
    // 64_KERNEL_CACHE and X86_64_KERNEL_CACHE: offsets of 30 bits.
    case 8, 11: return base &+ (word & 0x3FFF_FFFF)
    default: return nil
    }
  }
}
