// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What lies around an IP packet on a link.
struct LinkFrame {
  /// The packet and what was captured behind it.
  let packet: UnsafeRawBufferPointer
  /// Link address of the sender, when the link has one.
  var source: EtherAddress?
  /// Link address of the receiver, when the link shows it.
  var destination: EtherAddress?

  /// Finds the IP packet of a frame.
  ///
  /// - Parameters:
  ///   - frame: the captured bytes.
  ///   - type: the link type as the capture file numbers it (`LINKTYPE_*`).
  init(_ frame: UnsafeRawBufferPointer, type: UInt32) throws(FrameSkip) {
    switch type {
    case 0, 108: packet = try Self.loopback(frame)
    case 1:
      source = EtherAddress(frame, at: 6)
      destination = EtherAddress(frame, at: 0)
      packet = try Self.ethernet(frame, typeAt: 12)
    case 9, 50: packet = try Self.pointToPoint(frame)
    case 12, 14, 101, 228, 229: packet = frame
    case 113:
      source = frame.big(4, as: UInt16.self) == 6 ? EtherAddress(frame, at: 6) : nil
      packet = try Self.ethernet(frame, typeAt: 14)
    case 276:
      source = frame.count > 11 && frame[11] == 6 ? EtherAddress(frame, at: 12) : nil
      guard let etherType = frame.big(0, as: UInt16.self) else { throw Self.truncated }
      packet = try Self.payload(frame, etherType: etherType, at: 20)
    default: throw FrameSkip("link type \(type)")
    }
  }

  private static let truncated = FrameSkip("truncated frame")

  /// A header that ends in an ether type.
  private static func ethernet(
    _ frame: UnsafeRawBufferPointer, typeAt offset: Int
  ) throws(FrameSkip) -> UnsafeRawBufferPointer {
    guard let etherType = frame.big(offset, as: UInt16.self) else { throw truncated }
    return try payload(frame, etherType: etherType, at: offset + 2)
  }

  private static func payload(
    _ frame: UnsafeRawBufferPointer, etherType: UInt16, at offset: Int
  ) throws(FrameSkip) -> UnsafeRawBufferPointer {
    var etherType = etherType
    var offset = offset
    // VLAN tags, which may be stacked; the frame's end bounds them.
    while etherType == 0x8100 || etherType == 0x88A8 || etherType == 0x9100 {
      guard let inner = frame.big(offset + 2, as: UInt16.self) else { throw truncated }
      etherType = inner
      offset += 4
    }
    switch etherType {
    case 0x0800, 0x86DD: return frame.from(offset)
    case 0x8864: return try pointToPoint(frame.from(offset + 6))
    default: throw FrameSkip("not IP")
    }
  }

  private static func pointToPoint(
    _ frame: UnsafeRawBufferPointer
  ) throws(FrameSkip) -> UnsafeRawBufferPointer {
    var rest = frame
    switch frame.big(0, as: UInt16.self) {
    case 0xFF03: rest = frame.from(2)
    case 0x0F00, 0x8F00: return try ethernet(frame, typeAt: 2)
    default: break
    }
    guard let first = rest.first else { throw truncated }
    // An odd first byte is a whole protocol number: compressed.
    let isCompressed = first % 2 == 1
    guard let number = isCompressed ? UInt16(first) : rest.big(0, as: UInt16.self) else {
      throw truncated
    }
    guard number == 0x21 || number == 0x57 else { throw FrameSkip("not IP") }
    return rest.from(isCompressed ? 1 : 2)
  }

  private static func loopback(
    _ frame: UnsafeRawBufferPointer
  ) throws(FrameSkip) -> UnsafeRawBufferPointer {
    guard let family = frame.big(0, as: UInt32.self) else { throw truncated }
    // In the byte order of the machine that captured; families are small numbers.
    switch family > 0xFFFF ? family.byteSwapped : family {
    // AF_INET, and what AF_INET6 is on Linux, NetBSD, FreeBSD and Darwin.
    case 2, 10, 24, 28, 30: return frame.from(4)
    default: throw FrameSkip("not IP")
    }
  }
}
