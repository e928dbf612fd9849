// SPDX-License-Identifier: Apache-2.0

import CZlib

/// The bytes inside gzip data, which may be several members one behind the other.
///
/// Data that is cut or damaged gives what is good before it, and then an error.
final class GzipSource: ByteSource {
  static let magic: [UInt8] = [0x1F, 0x8B]

  private let source: any ByteSource
  // zlib keeps a pointer to its stream: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var consumed = 0
  private var isInsideMember = true
  private var failure: InputError?

  /// Takes compressed data.
  ///
  /// - Parameter source: begins with the magic number.
  init(_ source: any ByteSource) throws(InputError) {
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(byteCount: 64 * 1024, alignment: 16)
    // 15 = the largest window, 16 = gzip framing with its checksum.
    let status = inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw InputError(message: "zlib does not start: error \(status)") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    if let failure { throw failure }
    stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: buffer.count)
    let room = Int(stream.pointee.avail_out)
    do throws(InputError) {
      while Int(stream.pointee.avail_out) == room {
        if stream.pointee.avail_in == 0, try refill() == 0 {
          guard isInsideMember else { return 0 }
          throw InputError(
            message: "the gzip data is cut after \(consumed) compressed bytes")
        }
        try inflateOnce()
      }
    } catch {
      failure = error
      let good = room - Int(stream.pointee.avail_out)
      if good == 0 { throw error }
      return good
    }
    return room - Int(stream.pointee.avail_out)
  }

  private func refill() throws(InputError) -> Int {
    let count = try source.read(into: input)
    consumed += count
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(count)
    return count
  }

  private func inflateOnce() throws(InputError) {
    if !isInsideMember {
      inflateReset(stream)
      isInsideMember = true
    }
    let status = inflate(stream, Z_NO_FLUSH)
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isInsideMember = false
    default:
      let why = stream.pointee.msg.map { String(cString: $0) } ?? "error \(status)"
      let place = consumed - Int(stream.pointee.avail_in)
      throw InputError(message: "the gzip data is damaged at compressed byte \(place): \(why)")
    }
  }
}
