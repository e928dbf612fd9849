// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// Writes those parts of a record that an answer depends on one after the other: equal bytes, equal answer.
struct CacheKey {
  /// Bytes that a key may have; records with longer ones are not cached.
  static let capacity = 432

  private let base: UnsafeMutableRawPointer
  private(set) var count = 0
  private(set) var isTooLong = false

  /// Starts a key in a buffer of ``capacity`` bytes.
  init(in base: UnsafeMutableRawPointer) { self.base = base }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Writes the parts of a record.
  mutating func append(_ fields: CacheDeclaration.Fields, of record: RecordView) {
    let event = record.event
    append(event.pointee.kind)
    append(event.pointee.phase)
    if fields.contains(.pid) {
      append(event.pointee.subject.pid)
      append(event.pointee.subject.start_ns)
    }
    if fields.contains(.ppid) { append(event.pointee.subject.ppid) }
    if fields.contains(.uid) { append(event.pointee.subject.uid) }
    if fields.contains(.gid) { append(event.pointee.subject.gid) }
    if fields.contains(.exe) { append(text: event.pointee.subject.exe, of: record) }
    if fields.contains(.comm) { append(text: event.pointee.subject.comm, of: record) }
    guard fields.contains(.path) || fields.contains(.file) || fields.contains(.payload) else {
      return
    }
    for field in PayloadPlaces.of(record.kind)
    where fields.contains(.payload) || fields.contains(field.part) {
      append(field, of: record)
    }
  }

  private mutating func append(_ field: PayloadPlaces.Place, of record: RecordView) {
    let event = record.event
    let offset = Int(field.offset)
    guard offset + Int(field.width) <= Int(event.pointee.payload_size) else {
      // A shorter payload of an older producer is not equal to one that has zeros there.
      append(UInt8(0))
      return
    }
    append(UInt8(1))
    let place = UnsafeRawPointer(event) + Int(event.pointee.payload_off) + offset
    if field.isReference {
      append(text: place.loadUnaligned(as: kemon_str.self), of: record)
    } else {
      append(UnsafeRawBufferPointer(start: place, count: Int(field.width)))
    }
  }

  private mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { append($0) }
  }

  private mutating func append(text: kemon_str, of record: RecordView) {
    // The length in front keeps two neighbours apart; absent is not empty.
    append(text.off == 0 ? UInt32.max : text.len)
    append(record.bytes(text))
  }

  private mutating func append(_ part: UnsafeRawBufferPointer) {
    guard count + part.count <= Self.capacity else {
      isTooLong = true
      return
    }
    if let source = part.baseAddress {
      (base + count).copyMemory(from: source, byteCount: part.count)
      count += part.count
    }
  }

  private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  /// A number made of all bytes; different in every cache, so that nobody can choose keys that meet.
  func hash(seed: UInt64) -> UInt64 {
    var state = seed ^ UInt64(count)
    var offset = 0
    while offset + 8 <= count {
      state = Self.mix(state, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var last: UInt64 = 0
    while offset < count {
      last = last << 8 | UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    state = Self.mix(state, last)
    return Self.mix(state, 0xD1B5_4A32_D192_ED03)
  }
}

/// Where the fields of each kind lie in its payload, in tables for the hot path.
enum PayloadPlaces {
  struct Place {
    var offset: UInt16
    var width: UInt8
    var isReference: Bool
    /// The part of the event that it belongs to, beside the payload.
    var part: CacheDeclaration.Fields
  }

  static func of(_ kind: EventKind) -> UnsafeBufferPointer<Place> {
    let number = Int(kind.rawValue)
    return number < EventKind.limit
      ? table[number] : UnsafeBufferPointer(start: nil, count: 0)
  }

  // Filled in once and never freed: it lives as long as the process.
  nonisolated(unsafe) private static let table: UnsafePointer<UnsafeBufferPointer<Place>> = {
    let table = UnsafeMutablePointer<UnsafeBufferPointer<Place>>.allocate(
      capacity: EventKind.limit)
    table.initialize(
      repeating: UnsafeBufferPointer(start: nil, count: 0), count: EventKind.limit)
    for kind in EventKind.allKinds {
      let places = (kind.info?.fields ?? []).map { field in
        Place(
          offset: UInt16(field.offset), width: UInt8(field.width),
          isReference: field.type.isReference, part: part(of: field))
      }
      let row = UnsafeMutableBufferPointer<Place>.allocate(capacity: places.count)
      _ = row.initialize(from: places)
      table[Int(kind.rawValue)] = UnsafeBufferPointer(row)
    }
    return UnsafePointer(table)
  }()

  private static func part(of field: PayloadField) -> CacheDeclaration.Fields {
    switch field.name {
    case "path", "to": .path
    case "dev", "ino": .file
    default: .payload
    }
  }
}
