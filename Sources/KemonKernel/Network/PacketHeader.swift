// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// The link, IP and transport headers of a packet from a remote host, as they stand in front of its payload.
struct PacketHeader {
  let kind: SocketKind
  let source: Endpoint
  let destination: Endpoint
  let sourceEther: EtherAddress
  let destinationEther: EtherAddress
  /// Of TCP: the number of the first byte.
  let sequence: UInt32

  private var isVersion4: Bool { source.address.family == 4 }
  private var ipSize: Int { isVersion4 ? 20 : 40 }
  private var transportSize: Int { kind == .stream ? 20 : 8 }

  /// Bytes of link header.
  static let linkSize = 14
  /// Bytes of all three headers.
  var size: Int { Self.linkSize + ipSize + transportSize }

  /// Writes the headers.
  ///
  /// - Parameters:
  ///   - bytes: as many as ``size``, in front of the payload.
  ///   - payload: is there already, for the checksum.
  func write(to bytes: UnsafeMutableRawBufferPointer, payload: UnsafeRawBufferPointer) {
    var writer = Writer(bytes: bytes)
    writer.put(destinationEther)
    writer.put(sourceEther)
    writer.put(UInt16(isVersion4 ? 0x0800 : 0x86DD))
    let length = transportSize + payload.count
    if isVersion4 { writeVersion4(&writer, length) } else { writeVersion6(&writer, length) }
    let transport = Self.linkSize + ipSize
    writer.put(source.port)
    writer.put(destination.port)
    if kind == .stream {
      writer.put(sequence)
      writer.put(UInt32(1))
      // Five words of header; PSH and ACK; the window.
      writer.put(UInt16(0x5018))
      writer.put(UInt16.max)
      writer.put(UInt32(0))
    } else {
      writer.put(UInt16(truncatingIfNeeded: length))
      writer.put(UInt16(0))
    }
    var sum = Checksum()
    sum.add(UnsafeRawBufferPointer(rebasing: bytes[transport..<size]))
    sum.add(payload)
    sum.add(address: source.address)
    sum.add(address: destination.address)
    sum.add(UInt32(kind.ipProtocol) + UInt32(length))
    // UDP writes 0 for "no checksum", so that a sum of 0 is written as its other form.
    let value = sum.value == 0 && kind == .datagram ? UInt16.max : sum.value
    bytes.storeBytes(
      of: value.bigEndian, toByteOffset: transport + (kind == .stream ? 16 : 6), as: UInt16.self)
  }

  private func writeVersion4(_ writer: inout Writer, _ length: Int) {
    let start = writer.position
    writer.put(UInt16(0x4500))
    writer.put(UInt16(truncatingIfNeeded: 20 + length))
    // Identification 0, "don't fragment", 64 hops.
    writer.put(UInt32(0x4000))
    writer.put(UInt16(64) << 8 | kind.ipProtocol)
    writer.put(UInt16(0))
    writer.put(UInt32(truncatingIfNeeded: source.address.low))
    writer.put(UInt32(truncatingIfNeeded: destination.address.low))
    var sum = Checksum()
    sum.add(UnsafeRawBufferPointer(rebasing: writer.bytes[start..<writer.position]))
    writer.bytes.storeBytes(
      of: sum.value.bigEndian, toByteOffset: start + 10, as: UInt16.self)
  }

  private func writeVersion6(_ writer: inout Writer, _ length: Int) {
    writer.put(UInt32(0x6000_0000))
    writer.put(UInt16(truncatingIfNeeded: length))
    writer.put(kind.ipProtocol << 8 | 64)
    for address in [source.address, destination.address] {
      writer.put(address.high)
      writer.put(address.low)
    }
  }

  /// Writes numbers one behind the other, big endian.
  private struct Writer {
    let bytes: UnsafeMutableRawBufferPointer
    var position = 0

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
      bytes.storeBytes(of: value.bigEndian, toByteOffset: position, as: Value.self)
      position += MemoryLayout<Value>.size
    }

    mutating func put(_ ether: EtherAddress) {
      put(UInt16(truncatingIfNeeded: ether.value >> 32))
      put(UInt32(truncatingIfNeeded: ether.value))
    }
  }
}

/// The Internet's checksum: the ones' complement of the ones' complement sum of 16-bit words.
struct Checksum {
  private var sum: UInt64 = 0

  /// Adds bytes; an odd number only at the end of what follows each other.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while let word = bytes.big(offset, as: UInt16.self) {
      sum += UInt64(word)
      offset += 2
    }
    if offset < bytes.count { sum += UInt64(bytes[offset]) << 8 }
  }

  mutating func add(_ number: UInt32) { sum += UInt64(number >> 16) + UInt64(number & 0xFFFF) }

  mutating func add(address: IPAddress) {
    for word in [address.high, address.low] {
      add(UInt32(truncatingIfNeeded: word >> 32))
      add(UInt32(truncatingIfNeeded: word))
    }
  }

  var value: UInt16 {
    var folded = sum
    while folded > 0xFFFF { folded = folded >> 16 + folded & 0xFFFF }
    return ~UInt16(folded)
  }
}
