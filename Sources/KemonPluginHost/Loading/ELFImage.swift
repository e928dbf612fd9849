// SPDX-License-Identifier: Apache-2.0

/// A shared library, read from bytes that nobody vouches for.
///
/// Everything that a plugin's checks ask is answered without the dynamic linker, hence before any code of the file
/// could run. Every offset, size and index is checked against the bytes before it is used, and sums cannot overflow.
///
/// Only the word size and byte order of this process are read; others are recognised and named.
struct ELFImage {
  /// A row of the table of sections.
  struct Section {
    let name: String
    let type: UInt32
    let flags: UInt64
    let offset: UInt64
    let size: UInt64
    let link: UInt32
    let entrySize: UInt64
  }

  /// A row of the table of segments.
  struct Segment {
    let type: UInt32
    let flags: UInt32
    let offset: UInt64
    let fileSize: UInt64
  }

  let bytes: ELFBytes
  let sections: [Section]
  let segments: [Segment]

  /// Checks the header and reads the tables.
  ///
  /// - Parameter bytes: must stay as they are while the image is in use.
  init(_ bytes: UnsafeRawBufferPointer) throws(BrokenRule) {
    self.bytes = ELFBytes(bytes)
    try Self.checkHeader(self.bytes)
    segments = try Self.readSegments(self.bytes)
    sections = try Self.readSections(self.bytes)
  }

  /// The bytes of a section in the file; empty for one that takes no place there.
  func contents(of section: Section) throws(BrokenRule) -> UnsafeRawBufferPointer {
    guard section.type != ELF.sectionNoBits else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return try bytes.slice(
      section.offset, section.size, what: "section \(section.name)")
  }

  // MARK: Header

  private static func checkHeader(_ bytes: ELFBytes) throws(BrokenRule) {
    let magic = bytes.prefix(4)
    guard magic == [0x7F, 0x45, 0x4C, 0x46] else {
      throw BrokenRule(
        rule: .elfMagic, found: bytes.describeBeginning(),
        needed: "the bytes 7f 45 4c 46 (\\x7fELF)")
    }
    guard bytes.count >= ELF.identSize else { throw truncated(bytes, needed: ELF.headerSize) }
    let word = try bytes.u8(4)
    guard word == ELF.class64 else {
      let found = word == ELF.class32 ? "32-bit (ELFCLASS32)" : "class \(word)"
      throw BrokenRule(rule: .elfClass, found: found, needed: "64-bit (ELFCLASS64)")
    }
    let order = try bytes.u8(5)
    guard order == ELF.nativeOrder else {
      let found =
        order == ELF.bigEndian
        ? "big-endian" : order == ELF.littleEndian ? "little-endian" : "byte order \(order)"
      throw BrokenRule(
        rule: .elfEndianness, found: found,
        needed: ELF.nativeOrder == ELF.littleEndian ? "little-endian" : "big-endian")
    }
    guard bytes.count >= ELF.headerSize else { throw truncated(bytes, needed: ELF.headerSize) }
    let machine = try bytes.u16(18)
    guard machine == ELF.nativeMachine else {
      throw BrokenRule(
        rule: .elfMachine, found: ELF.machineName(machine),
        needed: ELF.machineName(ELF.nativeMachine))
    }
    let type = try bytes.u16(16)
    guard type == ELF.typeShared else {
      throw BrokenRule(
        rule: .elfType, found: ELF.typeName(type), needed: ELF.typeName(ELF.typeShared))
    }
  }

  private static func truncated(_ bytes: ELFBytes, needed: Int) -> BrokenRule {
    BrokenRule(
      rule: .elfTruncated, found: "\(bytes.count) bytes",
      needed: "\(needed) bytes, as the ELF header alone has")
  }

  // MARK: Tables

  private static func readSegments(_ bytes: ELFBytes) throws(BrokenRule) -> [Segment] {
    let offset = try bytes.u64(32)
    let size = try bytes.u16(54)
    let count = try bytes.u16(56)
    guard count > 0, Int(size) >= ELF.segmentSize else {
      throw BrokenRule(
        rule: .elfSections, found: "\(count) segments of \(size) bytes",
        needed: "at least one of \(ELF.segmentSize) bytes")
    }
    let table = ELFBytes(
      try bytes.slice(offset, UInt64(size) * UInt64(count), what: "the table of segments"))
    var segments: [Segment] = []
    for index in 0..<Int(count) {
      let row = index * Int(size)
      let segment = Segment(
        type: try table.u32(row), flags: try table.u32(row + 4), offset: try table.u64(row + 8),
        fileSize: try table.u64(row + 32))
      if segment.type == ELF.segmentLoad {
        _ = try bytes.slice(segment.offset, segment.fileSize, what: "segment \(index)")
      }
      segments.append(segment)
    }
    return segments
  }

  private static func readSections(_ bytes: ELFBytes) throws(BrokenRule) -> [Section] {
    let offset = try bytes.u64(40)
    let size = try bytes.u16(58)
    let count = try bytes.u16(60)
    let namesIndex = try bytes.u16(62)
    guard count > 0, Int(size) >= ELF.sectionSize, namesIndex < count else {
      throw BrokenRule(
        rule: .elfSections,
        found: "\(count) sections of \(size) bytes, names in section \(namesIndex)",
        needed: "sections of \(ELF.sectionSize) bytes, one of them with the names")
    }
    let table = ELFBytes(
      try bytes.slice(offset, UInt64(size) * UInt64(count), what: "the table of sections"))
    let namesRow = Int(namesIndex) * Int(size)
    let names = ELFBytes(
      try bytes.slice(
        try table.u64(namesRow + 24), try table.u64(namesRow + 32), what: "the names of sections"))
    var sections: [Section] = []
    for row in stride(from: 0, to: Int(count) * Int(size), by: Int(size)) {
      sections.append(
        Section(
          name: try names.string(UInt64(try table.u32(row))), type: try table.u32(row + 4),
          flags: try table.u64(row + 8), offset: try table.u64(row + 24),
          size: try table.u64(row + 32), link: try table.u32(row + 40),
          entrySize: try table.u64(row + 56)))
    }
    return sections
  }
}
