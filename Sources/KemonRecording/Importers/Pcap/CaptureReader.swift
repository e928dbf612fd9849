// SPDX-License-Identifier: Apache-2.0

/// A frame of a capture file; its bytes are valid until the next one is read.
struct CapturedFrame {
  /// From 1, as other tools number them.
  let number: Int
  /// Where its header begins in the file, in bytes.
  let offset: Int
  /// `LINKTYPE_*`.
  let linkType: UInt32
  /// Nanoseconds since 1970, 0 when the file does not say.
  let time: UInt64
  /// What was captured of it.
  let bytes: UnsafeRawBufferPointer
}

/// Where a capture file is broken.
struct CaptureError: Error {
  let offset: Int
  let message: String
  /// Whether only this frame is broken, so that the file can be read on behind it.
  var isOneFrame = false
}

/// Reads the frames of a capture file, one at a time.
protocol CaptureReader {
  /// The next frame, or nil at the end of the file.
  mutating func next(_ input: ImportInput) throws(CaptureError) -> CapturedFrame?
}

/// The byte order and the limits that capture formats share.
struct CaptureFormat {
  /// A frame or block above this is no frame: no link of today carries it.
  static let maximumSize = 1 << 20

  let isLittleEndian: Bool

  func integer<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int, as type: Value.Type = Value.self
  ) -> Value {
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    return isLittleEndian ? Value(littleEndian: value) : Value(bigEndian: value)
  }

  /// Takes bytes of which there must be so many.
  static func take(
    _ count: Int, _ input: ImportInput, of what: String
  ) throws(CaptureError) -> UnsafeRawBufferPointer {
    let offset = input.offset
    guard let bytes = input.take(count) else {
      let rest = input.available(upTo: count)
      throw CaptureError(
        offset: offset, message: "cut inside \(what): \(rest) of \(count) bytes are there")
    }
    return bytes
  }
}
