// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting

/// Makes events that are equal to another in the fields that a handler declares, and otherwise are not.
struct VariantMaker {
  private var generator: EventGenerator

  init(seed: UInt64, words: [String]) { generator = EventGenerator(seed: seed &+ 2, words: words) }

  /// An event of the same kind.
  ///
  /// - Parameter fields: `KEMON_CACHE_*`, what stays.
  mutating func variant(of record: RecordView, keeping fields: UInt32) -> OwnedRecord {
    let other = generator.event(record.kind)
    let keeps = { (bit: Int32) in fields & UInt32(bit) != 0 }
    let (mine, theirs) = (record.subject, other.view.subject)
    return OwnedRecord(Int(record.kind.rawValue)) { builder in
      let texts = { (bit: Int32, mine: kemon_str, theirs: kemon_str) in
        keeps(bit) ? record.bytes(mine) : other.view.bytes(theirs)
      }
      let exe = builder.text(texts(KEMON_CACHE_EXE, mine.exe, theirs.exe))
      let comm = builder.text(texts(KEMON_CACHE_COMM, mine.comm, theirs.comm))
      let isSameProcess = keeps(KEMON_CACHE_PID)
      builder.header.pointee.subject = kemon_subject(
        start_ns: isSameProcess ? mine.start_ns : theirs.start_ns,
        pid: isSameProcess ? mine.pid : theirs.pid, tid: theirs.tid,
        ppid: keeps(KEMON_CACHE_PPID) ? mine.ppid : theirs.ppid,
        uid: keeps(KEMON_CACHE_UID) ? mine.uid : theirs.uid,
        gid: keeps(KEMON_CACHE_GID) ? mine.gid : theirs.gid, flags: 0, exe: exe, comm: comm,
        parent: builder.text(other.view.bytes(theirs.parent)))
      builder.header.pointee.time_ns = other.view.event.pointee.time_ns
      for field in record.kind.info?.fields ?? [] {
        let isKept =
          keeps(KEMON_CACHE_PAYLOAD)
          || keeps(KEMON_CACHE_PATH) && (field.name == "path" || field.name == "to")
          || keeps(KEMON_CACHE_FILE) && (field.name == "dev" || field.name == "ino")
        builder.copy(field, of: isKept ? record : other.view)
      }
    }
  }
}

/// A record whose texts are cut in the middle, and says so.
enum CutRecord {
  static func make(from record: RecordView) -> OwnedRecord {
    OwnedRecord(Int(record.kind.rawValue)) { builder in
      let subject = record.subject
      builder.header.pointee.subject = subject
      builder.header.pointee.subject.exe = builder.text(record.bytes(subject.exe))
      builder.header.pointee.subject.comm = builder.text(record.bytes(subject.comm))
      builder.header.pointee.subject.parent = builder.text(record.bytes(subject.parent))
      builder.header.pointee.time_ns = record.event.pointee.time_ns
      for field in record.kind.info?.fields ?? [] {
        builder.copy(field, of: record, isCut: field.type == .str)
      }
      builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED)
    }
  }
}

extension RecordBuilder {
  /// Takes a field over from another record of the same kind.
  ///
  /// - Parameter isCut: only all but the last bytes of a text.
  mutating func copy(_ field: PayloadField, of record: RecordView, isCut: Bool = false) {
    let source =
      UnsafeRawPointer(record.event) + Int(record.event.pointee.payload_off) + field.offset
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: source, count: field.width))
    }
    if field.type.isReference {
      let string = record.string(field)
      let bytes = record.bytes(string)
      let kept =
        isCut ? UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - bytes.count / 4)]) : bytes
      let copy = string.off == 0 ? kemon_str() : text(kept)
      word = UInt64(copy.off) | UInt64(copy.len) << 32
    }
    let place = UnsafeMutableRawPointer(header) + Int(header.pointee.payload_off) + field.offset
    withUnsafeBytes(of: &word) {
      place.copyMemory(from: $0.baseAddress ?? source, byteCount: field.width)
    }
  }
}
