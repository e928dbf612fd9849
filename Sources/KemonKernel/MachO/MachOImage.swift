// SPDX-License-Identifier: Apache-2.0

/// The image of a kext for one processor: its header and load commands, checked.
struct MachOImage: Sendable {
  let bytes: MachOBytes
  let architecture: MachOArchitecture
  let segments: [MachOSegment]
  let symbols: MachOSymbols
  let uuid: [UInt8]?
  let pointers: MachOPointers

  private static let kextBundle: UInt32 = 11
  private static let headerSize: UInt64 = 32
  /// As many as section numbers can count; kexts have less than twenty.
  private static let mostSegments = 255

  /// Reads an image.
  ///
  /// - Parameter slice: as it was found in the file.
  /// - Throws: where it is broken, or that it is no kext.
  init(_ slice: MachOSlices.Slice) throws(MachOError) {
    let bytes = slice.bytes
    self.bytes = bytes
    let magic: UInt32 = try bytes.number(at: 0, "the magic number")
    guard magic == 0xFEED_FACF else {
      throw bytes.unsupported(
        0, "magic number 0x\(String(magic, radix: 16)); needed is 0xfeedfacf, a 64-bit Mach-O file")
    }
    architecture = try Self.architecture(bytes, slice.cpu)
    let type: UInt32 = try bytes.number(at: 12, "the header")
    guard type == Self.kextBundle else {
      throw bytes.unsupported(12, "file type \(type); needed is 11, a kext bundle")
    }
    var segments: [MachOSegment] = []
    var symbols: MachOSymbols?
    var uuid: [UInt8]?
    var fixups: MachOBytes?
    for (kind, command) in try Self.commands(bytes) {
      switch kind {
      case 0x19:
        segments.append(try MachOSegment(command, in: bytes))
        guard segments.count <= Self.mostSegments else {
          throw command.malformed(0, "more than \(Self.mostSegments) segments")
        }
      case 0x02:
        guard symbols == nil else { throw command.malformed(0, "a second symbol table") }
        symbols = try MachOSymbols(command, in: bytes)
      case 0x1B: uuid = try command.part(at: 8, count: 16, "the UUID").array
      case 0x8000_0034: fixups = try Self.fixups(command, in: bytes)
      default: break
      }
    }
    try Self.refuseOverlaps(segments, bytes)
    self.segments = segments
    self.symbols = symbols ?? MachOSymbols()
    self.uuid = uuid
    pointers = try MachOPointers(fixups: fixups, segments: segments)
  }

  private static func architecture(
    _ bytes: MachOBytes, _ announced: (type: UInt32, subtype: UInt32)?
  ) throws(MachOError) -> MachOArchitecture {
    let cpu: UInt32 = try bytes.number(at: 4, "the header")
    let subtype: UInt32 = try bytes.number(at: 8, "the header")
    guard let architecture = MachOArchitecture(cpu: cpu, subtype: subtype) else {
      throw bytes.unsupported(
        4,
        "processor 0x\(String(cpu, radix: 16)); known are "
          + MachOArchitecture.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if let announced, announced.type != cpu {
      throw bytes.malformed(4, "the fat header names another processor than the slice")
    }
    return architecture
  }

  /// The load commands, one after the other.
  static func commands(
    _ bytes: MachOBytes
  ) throws(MachOError) -> [(kind: UInt32, command: MachOBytes)] {
    let count: UInt32 = try bytes.number(at: 16, "the header")
    let size: UInt32 = try bytes.number(at: 20, "the header")
    let area = try bytes.part(at: headerSize, count: UInt64(size), "the load commands")
    var commands: [(UInt32, MachOBytes)] = []
    var offset: UInt64 = 0
    for index in 0..<count {
      let kind: UInt32 = try area.number(at: offset, "load command \(index)")
      let length: UInt32 = try area.number(at: offset + 4, "load command \(index)")
      guard length >= 8, length % 4 == 0 else {
        throw area.malformed(offset + 4, "load command \(index) has \(length) bytes")
      }
      commands.append(
        (kind, try area.part(at: offset, count: UInt64(length), "load command \(index)")))
      offset += UInt64(length)
    }
    return commands
  }

  private static func fixups(
    _ command: MachOBytes, in bytes: MachOBytes
  ) throws(MachOError) -> MachOBytes {
    let offset: UInt32 = try command.number(at: 8, "the fixups command")
    let size: UInt32 = try command.number(at: 12, "the fixups command")
    return try bytes.part(at: UInt64(offset), count: UInt64(size), "the fixups")
  }

  /// An address must mean one thing.
  private static func refuseOverlaps(
    _ segments: [MachOSegment], _ bytes: MachOBytes
  ) throws(MachOError) {
    let sorted = segments.filter { $0.size > 0 }.sorted { $0.address < $1.address }
    for (lower, upper) in zip(sorted, sorted.dropFirst())
    where lower.address + lower.size > upper.address {
      throw bytes.malformed(
        headerSize, "segments \(lower.name) and \(upper.name) lie over each other in memory")
    }
  }

  // MARK: Memory

  /// From where to where the image is in memory.
  var extent: (base: UInt64, size: UInt64) {
    let used = segments.filter { $0.size > 0 }
    let base = used.map(\.address).min() ?? 0
    return (base, (used.map { $0.address + $0.size }.max() ?? base) - base)
  }

  /// The segment that an address is in.
  func segment(at address: UInt64) -> MachOSegment? { segments.first { $0.contains(address) } }

  /// What the file has at an address, up to the end of the segment's bytes and at most a number of them.
  func bytes(at address: UInt64, atMost limit: UInt64) -> MachOBytes? {
    guard let segment = segment(at: address), let offset = segment.offset(of: address) else {
      return nil
    }
    let rest = segment.fileSize - (address - segment.address)
    return try? bytes.part(at: offset, count: min(rest, limit), "")
  }

  /// The pointer at an address, as it will be when the image is loaded where it says; nil where the file has none.
  func pointer(at address: UInt64) -> UInt64? {
    guard let word = bytes(at: address, atMost: 8)?.word(at: 0) else { return nil }
    return pointers.target(of: word, at: address)
  }

  /// The text that an address points to; nil when it is none of a reasonable length.
  func text(at address: UInt64, longest: Int) -> String? {
    bytes(at: address, atMost: UInt64(longest) + 1)?.text(at: 0, longest: longest)
  }
}
