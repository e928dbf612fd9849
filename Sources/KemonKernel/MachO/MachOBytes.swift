// SPDX-License-Identifier: Apache-2.0

/// A part of a file from anywhere: every read is checked against its end.
struct MachOBytes: Sendable {
  let file: String
  /// Where the part begins in the file.
  let start: UInt64
  private let bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8], file: String) {
    self.init(bytes[...], file: file, start: 0)
  }

  private init(_ bytes: ArraySlice<UInt8>, file: String, start: UInt64) {
    self.bytes = bytes
    self.file = file
    self.start = start
  }

  var count: UInt64 { UInt64(bytes.count) }

  /// An error at an offset of this part.
  func malformed(_ offset: UInt64, _ message: String) -> MachOError {
    MachOError(.malformed, file: file, offset: start &+ offset, message)
  }

  func unsupported(_ offset: UInt64, _ message: String) -> MachOError {
    MachOError(.unsupported, file: file, offset: start &+ offset, message)
  }

  /// A part of this part.
  ///
  /// - Parameter what: for the error, as in `the symbol table`.
  func part(
    at offset: UInt64, count: UInt64, _ what: @autoclosure () -> String
  ) throws(MachOError) -> MachOBytes {
    let (end, isTooBig) = offset.addingReportingOverflow(count)
    guard !isTooBig, end <= self.count else {
      throw malformed(
        offset, "\(what()) has \(count) bytes from here, the file or slice has \(self.count) in all"
      )
    }
    let first = bytes.startIndex + Int(offset)
    return MachOBytes(bytes[first..<first + Int(count)], file: file, start: start + offset)
  }

  /// A little-endian number.
  func number<Value: FixedWidthInteger>(
    at offset: UInt64, as type: Value.Type = Value.self, _ what: @autoclosure () -> String
  ) throws(MachOError) -> Value {
    let size = UInt64(MemoryLayout<Value>.size)
    return Value(littleEndian: try part(at: offset, count: size, what()).load())
  }

  /// A big-endian number: headers of fat files.
  func bigNumber<Value: FixedWidthInteger>(
    at offset: UInt64, as type: Value.Type = Value.self, _ what: @autoclosure () -> String
  ) throws(MachOError) -> Value {
    try number(at: offset, as: type, what()).byteSwapped
  }

  /// A little-endian word of 64 bits; nil when it is not inside.
  func word(at offset: UInt64) -> UInt64? { try? number(at: offset, "") }

  private func load<Value: FixedWidthInteger>() -> Value {
    bytes.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
  }

  /// The bytes from an offset to the first NUL; nil when there is none within a number of bytes.
  func text(at offset: UInt64, longest: Int) -> String? {
    guard offset < count else { return nil }
    let rest = bytes.dropFirst(Int(offset)).prefix(longest + 1)
    guard let end = rest.firstIndex(of: 0) else { return nil }
    return String(validating: rest[..<end], as: UTF8.self)
  }

  /// A text in a field of fixed size, which need not have a NUL.
  var fixedText: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  /// All of it.
  var array: [UInt8] { Array(bytes) }
}
