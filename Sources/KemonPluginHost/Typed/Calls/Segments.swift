// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// The parts of a record that values lie in; never beyond the record, whatever it says of itself.
struct Segments {
  private let record: UnsafeRawPointer
  private let size: Int
  private let headerEnd: Int
  private let payload: Int
  private let payloadEnd: Int

  @inline(__always)
  init(_ event: UnsafePointer<kemon_event>) {
    record = UnsafeRawPointer(event)
    size = Int(event.pointee.size)
    headerEnd = min(Int(event.pointee.header_size), size)
    payload = Int(event.pointee.payload_off)
    payloadEnd = min(payload + Int(event.pointee.payload_size), size)
  }

  /// Where a segment begins, and where the values end that the producer filled in.
  @inline(__always)
  func bounds(of segment: FieldSource.Segment) -> (base: Int, end: Int) {
    switch segment {
    case .record: (0, headerEnd)
    case .payload: (payload, payloadEnd)
    case .arguments: arguments
    }
  }

  /// Where the bytes of a `kemon_str` are; an empty text when it is absent or does not lie inside the record.
  @inline(__always)
  func text(_ string: UnsafeRawPointer) -> (address: UInt64, length: UInt64) {
    let offset = Int(string.loadUnaligned(as: UInt32.self))
    let length = Int(string.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    guard offset != 0, offset + length < size else {
      return (UInt64(UInt(bitPattern: CText.empty)), 0)
    }
    return (UInt64(UInt(bitPattern: record + offset)), UInt64(length))
  }

  /// The bytes of a `kemon_str` of the payload; empty as in ``text(_:)``, and when the producer did not fill it in.
  func bytes(at offset: Int) -> UnsafeRawBufferPointer {
    guard payload + offset + MemoryLayout<kemon_str>.size <= payloadEnd else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let (address, length) = text(record + payload + offset)
    return UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: UInt(address)), count: Int(length))
  }

  private var arguments: (base: Int, end: Int) {
    let field = payload + OperationFields.arguments
    guard field + MemoryLayout<kemon_str>.size <= payloadEnd else { return (0, 0) }
    let string = (record + field).loadUnaligned(as: kemon_str.self)
    guard string.off != 0, Int(string.off) + Int(string.len) < size else { return (0, 0) }
    return (Int(string.off), Int(string.off) + Int(string.len))
  }
}
