// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Reads pcapng files: sections of either byte order, any number of interfaces.
struct PcapNGReader: CaptureReader {
  private struct Interface {
    let linkType: UInt32
    /// Of a second.
    let unitsPerSecond: UInt64
    let snapLength: Int

    func time(_ units: UInt64) -> UInt64 {
      let (seconds, rest) = units.quotientAndRemainder(dividingBy: unitsPerSecond)
      let scaled = rest.multipliedFullWidth(by: 1_000_000_000)
      let fraction = unitsPerSecond.dividingFullWidth(scaled).quotient
      return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ fraction
    }
  }

  private static let sectionType: UInt32 = 0x0A0D_0D0A
  /// A section may announce this many interfaces: more is an attack on memory.
  private static let maximumInterfaces = 4096

  private var format = CaptureFormat(isLittleEndian: true)
  private var interfaces: [Interface] = []
  private var number = 0

  /// Begins with a section, if the file does.
  init?(_ input: ImportInput) throws(CaptureError) {
    let magic = input.peek(4).flatMap { $0.big(0, as: UInt32.self) }
    guard magic == Self.sectionType else { return nil }
  }

  mutating func next(_ input: ImportInput) throws(CaptureError) -> CapturedFrame? {
    while input.available(upTo: 1) > 0 {
      let offset = input.offset
      guard let start = input.peek(12) else {
        _ = try CaptureFormat.take(12, input, of: "a block")
        return nil
      }
      if start.big(0, as: UInt32.self) == Self.sectionType { try beginSection(start, offset) }
      let type = format.integer(start, 0, as: UInt32.self)
      let length = Int(format.integer(start, 4, as: UInt32.self))
      guard length >= 12, length % 4 == 0, length <= CaptureFormat.maximumSize else {
        throw CaptureError(
          offset: offset,
          message: "a block claims \(length) bytes, needed is a multiple of 4 from 12 to "
            + "\(CaptureFormat.maximumSize): the file cannot be read on")
      }
      let block = try CaptureFormat.take(length, input, of: "a block")
      let trailer = Int(format.integer(block, length - 4, as: UInt32.self))
      guard trailer == length else {
        throw CaptureError(
          offset: offset + length - 4,
          message: "a block of \(length) bytes ends with the length \(trailer): "
            + "the file cannot be read on")
      }
      let body = UnsafeRawBufferPointer(rebasing: block[8..<length - 4])
      if let frame = try read(type, body, offset) { return frame }
    }
    return nil
  }

  private mutating func beginSection(
    _ start: UnsafeRawBufferPointer, _ offset: Int
  ) throws(CaptureError) {
    switch start.big(8, as: UInt32.self) {
    case 0x1A2B_3C4D: format = CaptureFormat(isLittleEndian: false)
    case 0x4D3C_2B1A: format = CaptureFormat(isLittleEndian: true)
    default:
      throw CaptureError(offset: offset + 8, message: "a section without a byte order")
    }
    interfaces = []
  }

  private mutating func read(
    _ type: UInt32, _ body: UnsafeRawBufferPointer, _ offset: Int
  ) throws(CaptureError) -> CapturedFrame? {
    switch type {
    case 1:
      try addInterface(body, offset)
      return nil
    case 2:  // the obsolete packet block: its interface has 16 bits
      guard body.count >= 20 else { throw tooShort(offset) }
      return try packet(
        body, offset, interface: Int(format.integer(body, 0, as: UInt16.self)))
    case 3:
      number += 1
      guard body.count >= 4 else { throw tooShort(offset) }
      let interface = try self.interface(0, offset)
      let length = Int(format.integer(body, 0, as: UInt32.self))
      let captured = interface.snapLength == 0 ? length : min(length, interface.snapLength)
      return CapturedFrame(
        number: number, offset: offset, linkType: interface.linkType, time: 0,
        bytes: body.from(4).first(captured))
    case 6:
      guard body.count >= 20 else { throw tooShort(offset) }
      return try packet(
        body, offset, interface: Int(format.integer(body, 0, as: UInt32.self)))
    default:
      return nil
    }
  }

  private mutating func packet(
    _ body: UnsafeRawBufferPointer, _ offset: Int, interface index: Int
  ) throws(CaptureError) -> CapturedFrame {
    number += 1
    let interface = try self.interface(index, offset)
    let time =
      UInt64(format.integer(body, 4, as: UInt32.self)) << 32
      | UInt64(format.integer(body, 8, as: UInt32.self))
    let captured = Int(format.integer(body, 12, as: UInt32.self))
    guard captured <= body.count - 20 else {
      throw CaptureError(
        offset: offset,
        message: "frame \(number) claims \(captured) bytes, its block has \(body.count - 20)",
        isOneFrame: true)
    }
    return CapturedFrame(
      number: number, offset: offset, linkType: interface.linkType, time: interface.time(time),
      bytes: body.from(20).first(captured))
  }

  private func interface(_ index: Int, _ offset: Int) throws(CaptureError) -> Interface {
    guard index < interfaces.count else {
      throw CaptureError(
        offset: offset,
        message: "frame \(number) is of interface \(index), described are \(interfaces.count)",
        isOneFrame: true)
    }
    return interfaces[index]
  }

  private func tooShort(_ offset: Int) -> CaptureError {
    CaptureError(offset: offset, message: "a block is too short for its type")
  }

  private mutating func addInterface(
    _ body: UnsafeRawBufferPointer, _ offset: Int
  ) throws(CaptureError) {
    guard body.count >= 8 else { throw tooShort(offset) }
    guard interfaces.count < Self.maximumInterfaces else {
      throw CaptureError(
        offset: offset, message: "more than \(Self.maximumInterfaces) interfaces")
    }
    interfaces.append(
      Interface(
        linkType: UInt32(format.integer(body, 0, as: UInt16.self)),
        unitsPerSecond: unitsPerSecond(body.from(8)),
        snapLength: Int(format.integer(body, 4, as: UInt32.self))))
  }

  /// The option `if_tsresol`: microseconds when it is absent or impossible.
  private func unitsPerSecond(_ options: UnsafeRawBufferPointer) -> UInt64 {
    var rest = options
    while rest.count >= 4 {
      let code = format.integer(rest, 0, as: UInt16.self)
      let length = Int(format.integer(rest, 2, as: UInt16.self))
      if code == 0 { break }
      if code == 9, length == 1, rest.count >= 5 {
        let power = Int(rest[4] & 0x7F)
        if rest[4] & 0x80 != 0 { return power < 63 ? 1 << power : 1_000_000 }
        return power <= 18 ? (0..<power).reduce(1) { units, _ in units * 10 } : 1_000_000
      }
      rest = rest.from(4 + (length + 3) & ~3)
    }
    return 1_000_000
  }
}
