// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Reads classic pcap files: either byte order, micro- or nanoseconds.
struct PcapReader: CaptureReader {
  private let format: CaptureFormat
  private let nanosecondsPerUnit: UInt64
  private let linkType: UInt32
  private var number = 0

  /// Reads the header of the file, if its magic number is one of this format.
  init?(_ input: ImportInput) throws(CaptureError) {
    guard let magic = input.peek(4).flatMap({ $0.big(0, as: UInt32.self) }) else { return nil }
    switch magic {
    case 0xA1B2_C3D4: (format, nanosecondsPerUnit) = (CaptureFormat(isLittleEndian: false), 1000)
    case 0xD4C3_B2A1: (format, nanosecondsPerUnit) = (CaptureFormat(isLittleEndian: true), 1000)
    case 0xA1B2_3C4D: (format, nanosecondsPerUnit) = (CaptureFormat(isLittleEndian: false), 1)
    case 0x4D3C_B2A1: (format, nanosecondsPerUnit) = (CaptureFormat(isLittleEndian: true), 1)
    default: return nil
    }
    let header = try CaptureFormat.take(24, input, of: "the header of the file")
    // The upper bits say whether frames end in a checksum; it lies behind the IP packet.
    linkType = format.integer(header, 20, as: UInt32.self) & 0x03FF_FFFF
  }

  mutating func next(_ input: ImportInput) throws(CaptureError) -> CapturedFrame? {
    let offset = input.offset
    guard input.available(upTo: 1) > 0 else { return nil }
    number += 1
    let header = try CaptureFormat.take(16, input, of: "the header of frame \(number)")
    let seconds = UInt64(format.integer(header, 0, as: UInt32.self))
    let fraction = UInt64(format.integer(header, 4, as: UInt32.self))
    let captured = Int(format.integer(header, 8, as: UInt32.self))
    guard captured <= CaptureFormat.maximumSize else {
      throw CaptureError(
        offset: offset,
        message: "frame \(number) claims \(captured) bytes, possible are "
          + "\(CaptureFormat.maximumSize): the file cannot be read on")
    }
    return CapturedFrame(
      number: number, offset: offset, linkType: linkType,
      time: seconds * 1_000_000_000 + fraction * nanosecondsPerUnit,
      bytes: try CaptureFormat.take(captured, input, of: "frame \(number)"))
  }
}
