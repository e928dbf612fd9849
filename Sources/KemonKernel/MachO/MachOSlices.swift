// SPDX-License-Identifier: Apache-2.0

/// The slices of a file: one of a thin file, one for each processor of a fat one.
struct MachOSlices {
  /// A slice, before anybody looked into it.
  struct Slice {
    /// The processor that the fat header names; nil in a thin file.
    let cpu: (type: UInt32, subtype: UInt32)?
    let bytes: MachOBytes
  }

  let slices: [Slice]
  /// Whether the file has a fat header.
  let isFat: Bool

  /// More slices than there were ever processors of Apple's are not believed.
  private static let limit: UInt32 = 64

  /// Finds the slices.
  ///
  /// - Throws: when the file is not Mach-O, or its fat header contradicts itself.
  init(_ bytes: MachOBytes) throws(MachOError) {
    let magic: UInt32 = try bytes.bigNumber(at: 0, "the magic number")
    switch magic {
    case 0xCAFE_BABE:
      slices = try Self.slices(bytes, isWide: false)
      isFat = true
    case 0xCAFE_BABF:
      slices = try Self.slices(bytes, isWide: true)
      isFat = true
    default:
      slices = [Slice(cpu: nil, bytes: bytes)]
      isFat = false
    }
  }

  private static func slices(
    _ bytes: MachOBytes, isWide: Bool
  ) throws(MachOError) -> [Slice] {
    let count: UInt32 = try bytes.bigNumber(at: 4, "the number of slices")
    guard (1...limit).contains(count) else {
      // Java's class files have the same magic number; their version is here.
      throw bytes.malformed(4, "\(count) slices, needed are 1 to \(limit)")
    }
    let rowSize: UInt64 = isWide ? 32 : 20
    var slices: [Slice] = []
    var taken: [(start: UInt64, end: UInt64)] = []
    for index in 0..<UInt64(count) {
      let row = 8 + index * rowSize
      let cpu: UInt32 = try bytes.bigNumber(at: row, "a row of the fat header")
      let subtype: UInt32 = try bytes.bigNumber(at: row + 4, "a row of the fat header")
      let (offset, size) = try range(bytes, row, isWide)
      let part = try bytes.part(at: offset, count: size, "slice \(index)")
      guard size > 0, offset >= 8 + UInt64(count) * rowSize else {
        throw bytes.malformed(row, "slice \(index) has \(size) bytes and lies in the fat header")
      }
      guard !taken.contains(where: { offset < $0.end && $0.start < offset + size }) else {
        throw bytes.malformed(row, "slice \(index) lies over another one")
      }
      taken.append((offset, offset + size))
      slices.append(Slice(cpu: (cpu, subtype), bytes: part))
    }
    return slices
  }

  private static func range(
    _ bytes: MachOBytes, _ row: UInt64, _ isWide: Bool
  ) throws(MachOError) -> (offset: UInt64, size: UInt64) {
    if isWide {
      return (
        try bytes.bigNumber(at: row + 8, "a row of the fat header"),
        try bytes.bigNumber(at: row + 16, "a row of the fat header")
      )
    }
    let offset: UInt32 = try bytes.bigNumber(at: row + 8, "a row of the fat header")
    let size: UInt32 = try bytes.bigNumber(at: row + 12, "a row of the fat header")
    return (UInt64(offset), UInt64(size))
  }
}
