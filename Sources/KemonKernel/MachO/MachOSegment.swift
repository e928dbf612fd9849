// SPDX-License-Identifier: Apache-2.0

/// A segment of a Mach-O image: where it is in memory and in the file.
struct MachOSegment: Sendable {
  let name: String
  let address: UInt64
  let size: UInt64
  let fileOffset: UInt64
  let fileSize: UInt64
  let protection: UInt32

  var isExecutable: Bool { protection & 4 != 0 }

  /// Whether an address is inside, in memory.
  func contains(_ address: UInt64) -> Bool {
    address >= self.address && address - self.address < size
  }

  /// Where an address is in the slice; nil when it is not inside, or filled with zeroes at load time.
  func offset(of address: UInt64) -> UInt64? {
    guard contains(address), address - self.address < fileSize else { return nil }
    return fileOffset + (address - self.address)
  }

  /// Reads an LC_SEGMENT_64.
  ///
  /// - Parameters:
  ///   - command: the whole command.
  ///   - slice: what its offsets count from.
  init(_ command: MachOBytes, in slice: MachOBytes) throws(MachOError) {
    let what = "a segment command"
    name = try command.part(at: 8, count: 16, what).fixedText
    address = try command.number(at: 24, what)
    size = try command.number(at: 32, what)
    fileOffset = try command.number(at: 40, what)
    fileSize = try command.number(at: 48, what)
    protection = try command.number(at: 60, what)
    guard !address.addingReportingOverflow(size).overflow else {
      throw command.malformed(24, "segment \(name) ends beyond 64 bits")
    }
    guard fileSize <= size else {
      throw command.malformed(
        48, "segment \(name) has \(fileSize) bytes in the file, \(size) in memory")
    }
    _ = try slice.part(at: fileOffset, count: fileSize, "segment \(name)")
    let sections: UInt32 = try command.number(at: 64, what)
    guard UInt64(sections) * 80 <= command.count - 72 else {
      throw command.malformed(64, "\(sections) sections do not fit into the command")
    }
  }
}
