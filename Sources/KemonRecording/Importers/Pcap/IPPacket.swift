// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// An IP packet that holds the start of a transport header.
struct IPPacket {
  let source: IPAddress
  let destination: IPAddress
  /// The transport protocol: 6 = TCP, 17 = UDP.
  let transport: UInt8
  /// The captured bytes of the transport layer, without padding behind the packet.
  let payload: UnsafeRawBufferPointer
  /// Bytes that the transport layer had on the wire.
  let payloadLength: Int
  /// Whether more fragments follow.
  let isFragment: Bool

  init(_ packet: UnsafeRawBufferPointer) throws(FrameSkip) {
    switch packet.first.map({ $0 >> 4 }) {
    case 4: try self.init(version4: packet)
    case 6: try self.init(version6: packet)
    case nil: throw Self.truncated
    default: throw FrameSkip("not IP")
    }
  }

  private static let truncated = FrameSkip("truncated frame")
  private static let laterFragment = FrameSkip("IP fragment after the first")

  private init(version4 packet: UnsafeRawBufferPointer) throws(FrameSkip) {
    guard packet.count >= 20,
      let source = IPAddress(packet, at: 12, family: 4),
      let destination = IPAddress(packet, at: 16, family: 4),
      let claimed = packet.big(2, as: UInt16.self),
      let fragment = packet.big(6, as: UInt16.self)
    else { throw Self.truncated }
    let headerLength = Int(packet[0] & 0x0F) * 4
    // Network cards that segment for the system show packets with a length of 0.
    let length = claimed == 0 ? packet.count : Int(claimed)
    guard headerLength >= 20, length >= headerLength else { throw FrameSkip("malformed IPv4") }
    guard fragment & 0x1FFF == 0 else { throw Self.laterFragment }
    guard packet.count >= headerLength else { throw Self.truncated }
    self.source = source
    self.destination = destination
    transport = packet[9]
    payload = packet.first(length).from(headerLength)
    payloadLength = length - headerLength
    isFragment = fragment & 0x2000 != 0
  }

  private init(version6 packet: UnsafeRawBufferPointer) throws(FrameSkip) {
    guard packet.count >= 40,
      let source = IPAddress(packet, at: 8, family: 6),
      let destination = IPAddress(packet, at: 24, family: 6),
      let claimed = packet.big(4, as: UInt16.self)
    else { throw Self.truncated }
    let length = claimed == 0 ? packet.count : 40 + Int(claimed)
    let bytes = packet.first(length)
    var next = packet[6]
    var offset = 40
    var isFragment = false
    // Each extension header is at least 8 bytes: the packet's end bounds the walk.
    while [0, 43, 44, 51, 60, 135, 139, 140].contains(next) {
      guard bytes.count >= offset + 8 else { throw Self.truncated }
      let following = bytes[offset]
      switch next {
      case 44:
        let field = bytes.big(offset + 2, as: UInt16.self) ?? 0
        guard field >> 3 == 0 else { throw Self.laterFragment }
        isFragment = field & 1 != 0
        offset += 8
      case 51: offset += (Int(bytes[offset + 1]) + 2) * 4
      default: offset += (Int(bytes[offset + 1]) + 1) * 8
      }
      next = following
    }
    guard length >= offset else { throw FrameSkip("malformed IPv6") }
    guard bytes.count >= offset else { throw Self.truncated }
    self.source = source
    self.destination = destination
    transport = next
    payload = bytes.from(offset)
    payloadLength = length - offset
    self.isFragment = isFragment
  }
}

/// A UDP datagram.
struct UDPDatagram {
  let source: Endpoint
  let destination: Endpoint
  /// The captured bytes behind the header.
  let payload: UnsafeRawBufferPointer
  /// Whether there was more on the wire.
  let isCut: Bool

  init(_ packet: IPPacket) throws(FrameSkip) {
    guard let sourcePort = packet.payload.big(0, as: UInt16.self),
      let destinationPort = packet.payload.big(2, as: UInt16.self),
      let length = packet.payload.big(4, as: UInt16.self), packet.payload.count >= 8
    else { throw FrameSkip("truncated frame") }
    guard length == 0 || length >= 8 else { throw FrameSkip("malformed UDP") }
    source = Endpoint(address: packet.source, port: sourcePort)
    destination = Endpoint(address: packet.destination, port: destinationPort)
    isCut = packet.isFragment || Int(length) > packet.payload.count
    payload = (length == 0 ? packet.payload : packet.payload.first(Int(length))).from(8)
  }
}

/// A TCP segment.
struct TCPSegment {
  let source: Endpoint
  let destination: Endpoint
  private let flags: UInt8
  /// The captured bytes behind the header.
  let payload: UnsafeRawBufferPointer
  /// Bytes behind the header that there were on the wire.
  let length: Int

  var isFinish: Bool { flags & 0x01 != 0 }
  var isSynchronise: Bool { flags & 0x02 != 0 }
  var isReset: Bool { flags & 0x04 != 0 }
  var isAcknowledge: Bool { flags & 0x10 != 0 }

  init(_ packet: IPPacket) throws(FrameSkip) {
    guard let sourcePort = packet.payload.big(0, as: UInt16.self),
      let destinationPort = packet.payload.big(2, as: UInt16.self), packet.payload.count >= 14
    else { throw FrameSkip("truncated frame") }
    let headerLength = Int(packet.payload[12] >> 4) * 4
    guard headerLength >= 20, headerLength <= packet.payloadLength else {
      throw FrameSkip("malformed TCP")
    }
    source = Endpoint(address: packet.source, port: sourcePort)
    destination = Endpoint(address: packet.destination, port: destinationPort)
    flags = packet.payload[13]
    payload = packet.payload.from(headerLength)
    length = packet.payloadLength - headerLength
  }
}
