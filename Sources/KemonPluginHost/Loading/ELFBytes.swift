// SPDX-License-Identifier: Apache-2.0

/// Bytes of an ELF file: the one place where they are read, each time against their end.
struct ELFBytes {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var count: Int { bytes.count }

  func prefix(_ count: Int) -> [UInt8] { Array(bytes.prefix(count)) }

  func u8(_ offset: Int) throws(BrokenRule) -> UInt8 { try load(offset) }
  func u16(_ offset: Int) throws(BrokenRule) -> UInt16 { try load(offset) }
  func u32(_ offset: Int) throws(BrokenRule) -> UInt32 { try load(offset) }
  func u64(_ offset: Int) throws(BrokenRule) -> UInt64 { try load(offset) }

  /// A part of the bytes.
  ///
  /// - Parameter what: names the part when it does not lie inside.
  func slice(
    _ offset: UInt64, _ size: UInt64, what: @autoclosure () -> String
  ) throws(BrokenRule) -> UnsafeRawBufferPointer {
    let (end, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, end <= UInt64(bytes.count) else {
      let place = overflow ? "past 2^64" : "at byte \(end)"
      throw BrokenRule(
        rule: .elfTruncated, found: "\(bytes.count) bytes",
        needed: "more: \(what()) ends \(place)")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(end)])
  }

  /// The text at an offset, up to its NUL; damaged names come out as they are, with replacement characters.
  func string(_ offset: UInt64) throws(BrokenRule) -> String {
    guard offset < UInt64(bytes.count) else { throw outside(offset) }
    let rest = bytes[Int(offset)...]
    guard let end = rest.firstIndex(of: 0) else { throw outside(UInt64(bytes.count)) }
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  /// Whether the text at an offset is exactly these bytes and ends there.
  func matches(_ offset: UInt64, _ text: String) -> Bool {
    let utf8 = text.utf8
    guard offset < UInt64(bytes.count), UInt64(bytes.count) - offset > UInt64(utf8.count) else {
      return false
    }
    let start = Int(offset)
    return bytes[start..<start + utf8.count].elementsEqual(utf8) && bytes[start + utf8.count] == 0
  }

  /// The first bytes for people: quoted when they are text.
  func describeBeginning() -> String {
    let beginning = prefix(16)
    let isText = beginning.allSatisfy { (0x20...0x7E).contains($0) || (0x09...0x0D).contains($0) }
    if isText {
      let line = beginning.prefix { $0 >= 0x20 }
      return "text that begins with \"\(String(decoding: line, as: UTF8.self))\""
    }
    let hex = beginning.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "the bytes " + hex.joined(separator: " ")
  }

  private func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int
  ) throws(BrokenRule) -> Value {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else {
      throw outside(UInt64(max(0, offset)))
    }
    return bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  private func outside(_ offset: UInt64) -> BrokenRule {
    BrokenRule(
      rule: .elfSections, found: "offset \(offset) in a table of \(bytes.count) bytes",
      needed: "an offset inside of it")
  }
}
