// SPDX-License-Identifier: Apache-2.0

/// Makes packets and capture files byte by byte.
enum CaptureBuilder {
  static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

  static func little32(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(value >> (8 * $0) & 0xFF) }
  }

  static func big32(_ value: UInt32) -> [UInt8] { little32(value).reversed() }

  // MARK: Packets

  static let query: [UInt8] =
    [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5] + Array("kemon".utf8) + [4] + Array("test".utf8)
    + [0, 0, 28, 0, 1]

  static func udp(from: Int = 4444, to: Int = 53, _ payload: [UInt8]) -> [UInt8] {
    big16(from) + big16(to) + big16(8 + payload.count) + [0, 0] + payload
  }

  static let fin: UInt8 = 1
  static let syn: UInt8 = 2
  static let rst: UInt8 = 4
  static let ack: UInt8 = 16

  static func tcp(from: Int, to: Int, _ flags: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
    big16(from) + big16(to) + [0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0] + payload
  }

  static func ipv4(
    _ transport: UInt8, from: [UInt8] = [10, 0, 0, 1], to: [UInt8] = [10, 0, 0, 2],
    fragment: Int = 0, _ payload: [UInt8]
  ) -> [UInt8] {
    [0x45, 0] + big16(20 + payload.count) + [0, 0] + big16(fragment) + [64, transport, 0, 0] + from
      + to + payload
  }

  static func ipv6(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let address: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    return [0x60, 0, 0, 0] + big16(payload.count) + [next, 64] + address + [1] + address + [2]
      + payload
  }

  static func ethernet(
    _ type: Int, tags: [Int] = [], reversed: Bool = false, _ payload: [UInt8]
  ) -> [UInt8] {
    let one: [UInt8] = [2, 0, 0, 0, 0, 1]
    let two: [UInt8] = [2, 0, 0, 0, 0, 2]
    return (reversed ? one + two : two + one) + tags.flatMap { big16($0) + [0, 7] } + big16(type)
      + payload
  }

  // MARK: Files

  static func pcap(
    link: UInt32 = 1, isLittleEndian: Bool = true, nanoseconds: Bool = false,
    _ frames: [[UInt8]]
  ) -> [UInt8] {
    let word = isLittleEndian ? little32 : big32
    var bytes = word(nanoseconds ? 0xA1B2_3C4D : 0xA1B2_C3D4)
    bytes += isLittleEndian ? [2, 0, 4, 0] : [0, 2, 0, 4]
    bytes += word(0) + word(0) + word(65535) + word(link)
    for (index, frame) in frames.enumerated() {
      bytes += word(1000 + UInt32(index)) + word(5) + word(UInt32(frame.count))
      bytes += word(UInt32(frame.count)) + frame
    }
    return bytes
  }

  static func block(_ type: UInt32, isLittleEndian: Bool = true, _ body: [UInt8]) -> [UInt8] {
    let word = isLittleEndian ? little32 : big32
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    let length = word(UInt32(12 + padded.count))
    return word(type) + length + padded + length
  }

  static func section(isLittleEndian: Bool = true) -> [UInt8] {
    let word = isLittleEndian ? little32 : big32
    return block(
      0x0A0D_0D0A, isLittleEndian: isLittleEndian,
      word(0x1A2B_3C4D) + (isLittleEndian ? [1, 0, 0, 0] : [0, 1, 0, 0])
        + [UInt8](repeating: 0xFF, count: 8))
  }

  static func interface(
    link: UInt8 = 1, isLittleEndian: Bool = true, options: [UInt8] = []
  ) -> [UInt8] {
    block(
      1, isLittleEndian: isLittleEndian,
      (isLittleEndian ? [link, 0, 0, 0] : [0, link, 0, 0]) + [0, 0, 0, 0] + options)
  }

  static func enhanced(
    _ frame: [UInt8], interface: UInt32 = 0, time: UInt64 = 0, isLittleEndian: Bool = true,
    claimed: UInt32? = nil
  ) -> [UInt8] {
    let word = isLittleEndian ? little32 : big32
    let length = word(claimed ?? UInt32(frame.count))
    return block(
      6, isLittleEndian: isLittleEndian,
      word(interface) + word(UInt32(time >> 32)) + word(UInt32(time & 0xFFFF_FFFF)) + length
        + length + frame)
  }
}
