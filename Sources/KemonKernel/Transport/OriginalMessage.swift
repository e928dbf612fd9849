// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A message of the 2018 Kemon under construction: fields at the offsets of `kemon/original.h`.
///
/// Written by offset and not through the C structs, whose texts of 1,024 bytes Swift sees as tuples of 1,024 elements.
struct OriginalMessage {
  /// Sizes and offsets, checked against the C structs in the SDK's layout.c.
  enum Layout {
    static let header = 2088
    static let file = 4136
    static let tcp = 2672
    static let udp = 2648
    static let dns = 2616
    static let library = 3112
    static let kext = 5184
    static let lost = 2096
    static let path = 1024
    static let address = 256
  }

  /// The number of the message that says that others were lost.
  static let lostType: Int32 = 0x7F

  private(set) var bytes: [UInt8]

  private init(size: Int) { bytes = [UInt8](repeating: 0, count: size) }

  /// Makes the message of a record; nil for a kind that the original did not have.
  init?(_ record: RecordView) {
    let encode: (inout OriginalMessage, RecordView) -> Bool
    switch Int(record.kind.rawValue) {
    case KEMON_KIND_FILE_OPEN, KEMON_KIND_FILE_CREATE, KEMON_KIND_FILE_DELETE,
      KEMON_KIND_FILE_WRITE, KEMON_KIND_DEVICE_OPEN:
      (self, encode) = (OriginalMessage(size: Layout.file), { $0.putFile($1) })
    case KEMON_KIND_FILE_CLOSE:
      (self, encode) = (OriginalMessage(size: Layout.file), { $0.putClose($1) })
    case KEMON_KIND_FILE_RENAME, KEMON_KIND_FILE_EXCHANGE, KEMON_KIND_FILE_LINK,
      KEMON_KIND_FILE_WILL_RENAME:
      (self, encode) = (OriginalMessage(size: Layout.file), { $0.putPair($1) })
    case KEMON_KIND_PROCESS_EXEC:
      (self, encode) = (OriginalMessage(size: Layout.file), { $0.putExec($1) })
    case KEMON_KIND_NET_TCP_DETACH:
      (self, encode) = (OriginalMessage(size: Layout.tcp), { $0.putTCP($1) })
    case KEMON_KIND_NET_UDP_DETACH:
      (self, encode) = (OriginalMessage(size: Layout.udp), { $0.putUDP($1) })
    case KEMON_KIND_NET_DNS_QUERY:
      (self, encode) = (OriginalMessage(size: Layout.dns), { $0.putQuery($1) })
    case KEMON_KIND_DYLIB_MAP:
      (self, encode) = (OriginalMessage(size: Layout.library), { $0.putLibrary($1) })
    case KEMON_KIND_KEXT_START_PRE, KEMON_KIND_KEXT_START:
      (self, encode) = (OriginalMessage(size: Layout.kext), { $0.putKext($1) })
    default: return nil
    }
    putHeader(record)
    guard encode(&self, record) else { return nil }
  }

  /// Says that so many messages were lost before the next one.
  init(lost count: UInt64, at time: UInt64) {
    self.init(size: Layout.lost)
    put(Self.lostType, at: 0)
    put(time: time, at: 24)
    put(count, at: Layout.header)
  }

  /// The kinds that have a message.
  static let kinds: [EventKind] = [
    KEMON_KIND_FILE_OPEN, KEMON_KIND_FILE_CREATE, KEMON_KIND_FILE_CLOSE, KEMON_KIND_FILE_RENAME,
    KEMON_KIND_FILE_EXCHANGE, KEMON_KIND_FILE_LINK, KEMON_KIND_PROCESS_EXEC,
    KEMON_KIND_FILE_DELETE, KEMON_KIND_FILE_WILL_RENAME, KEMON_KIND_FILE_WRITE,
    KEMON_KIND_DEVICE_OPEN, KEMON_KIND_NET_TCP_DETACH, KEMON_KIND_NET_UDP_DETACH,
    KEMON_KIND_NET_DNS_QUERY, KEMON_KIND_DYLIB_MAP, KEMON_KIND_KEXT_START_PRE,
    KEMON_KIND_KEXT_START,
  ].map { EventKind($0) }

  // MARK: Fields

  mutating func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: Value.self) }
  }

  /// A struct timeval.
  mutating func put(time: UInt64, at offset: Int) {
    put(Int64(time / 1_000_000_000), at: offset)
    put(Int32(time % 1_000_000_000 / 1000), at: offset + 8)
  }

  /// A text in a field of so many bytes, of which the last one stays a NUL.
  mutating func put(_ text: UnsafeRawBufferPointer, at offset: Int, limit: Int) {
    let text = text.first(limit - 1)
    bytes.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + text.count]).copyMemory(
        from: text)
    }
  }

  /// What stands behind the struct.
  mutating func append(_ rest: some Sequence<UInt8>) { bytes.append(contentsOf: rest) }

  private mutating func putHeader(_ record: RecordView) {
    let subject = record.subject
    put(Int32(record.kind.rawValue), at: 0)
    put(subject.pid, at: 4)
    put(subject.ppid, at: 8)
    put(subject.uid, at: 12)
    put(subject.gid, at: 16)
    put(time: record.event.pointee.time_ns, at: 24)
    if subject.comm.off == 0, subject.pid > 0 {
      putText("NULL (ZOMBIE STATE)", at: 40)
    } else {
      put(record.bytes(subject.comm), at: 40, limit: Layout.path)
    }
    put(record.bytes(subject.parent), at: 1064, limit: Layout.path)
  }

  private mutating func putText(_ text: StaticString, at offset: Int) {
    let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    put(bytes, at: offset, limit: Layout.path)
  }
}
