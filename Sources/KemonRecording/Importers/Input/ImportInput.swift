// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The bytes of an input, by lines or by counts, in bounded memory.
///
/// What it hands out lies in its buffer and is valid until the next call.
final class ImportInput {
  /// A line of text.
  enum Line {
    /// Its bytes, without the line end.
    case text(UnsafeRawBufferPointer)
    /// The last bytes of the input, behind which a line end is missing: perhaps a line that is cut.
    case unended(UnsafeRawBufferPointer)
    /// It was longer than allowed and is gone; so many bytes.
    case tooLong(Int)
  }

  /// Bytes handed out until now, of the data as it is after decompression.
  private(set) var offset = 0
  /// Why the bytes ended early, if they did.
  private(set) var failure: InputError?
  /// Is told, each time that bytes were read, how many have been.
  var progress: ((Int) -> Void)?

  private var source: any ByteSource
  private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  private var start = 0
  private var end = 0
  private var isAtEnd = false

  /// Opens a file.
  ///
  /// - Parameter path: plain or gzip; `-` means standard input.
  convenience init(path: String) throws(RecordingError) {
    self.init(try FileSource(path: path))
  }

  /// Takes a source of plain or gzip bytes.
  init(_ source: any ByteSource) {
    self.source = source
    guard ensure(2), buffer[start..<start + 2].elementsEqual(GzipSource.magic) else { return }
    do throws(InputError) {
      self.source = try GzipSource(RestOf(source, after: [UInt8](buffer[start..<end])))
    } catch {
      failure = error
    }
    start = 0
    end = 0
    isAtEnd = failure != nil
  }

  deinit { buffer.deallocate() }

  /// Takes exactly so many bytes, or nil when fewer are left; then nothing is taken.
  func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard ensure(count) else { return nil }
    defer { advance(count) }
    return UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  /// Looks at the next bytes without taking them, or nil when fewer are left.
  func peek(_ count: Int) -> UnsafeRawBufferPointer? {
    guard ensure(count) else { return nil }
    return UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  /// How many bytes are left when that is fewer than asked for; else the number asked for.
  func available(upTo count: Int) -> Int {
    _ = ensure(count)
    return min(count, end - start)
  }

  /// Takes the next line, or nil at the end.
  ///
  /// - Parameter limit: bytes that a line may have.
  func line(limit: Int) -> Line? {
    var searched = 0
    var dropped = 0
    while true {
      if let position = newline(from: start + searched) {
        let count = position - start
        defer { advance(count + 1) }
        guard dropped + count <= limit else { return .tooLong(dropped + count) }
        return .text(withoutReturn(UnsafeRawBufferPointer(rebasing: buffer[start..<position])))
      }
      searched = end - start
      if searched > limit {
        dropped += searched
        advance(searched)
        searched = 0
      }
      guard ensure(searched + 1) else {
        defer { advance(searched) }
        if dropped > 0 { return .tooLong(dropped + searched) }
        guard searched > 0 else { return nil }
        return .unended(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
      }
    }
  }

  private func newline(from position: Int) -> Int? {
    guard position < end, let base = buffer.baseAddress,
      let found = memchr(base + position, 0x0A, end - position)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  private func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    line.last == 0x0D ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
  }

  private func advance(_ count: Int) {
    start += count
    offset += count
  }

  /// Makes so many bytes lie in the buffer, if the input has them.
  private func ensure(_ count: Int) -> Bool {
    while end - start < count {
      guard !isAtEnd else { return false }
      makeRoom(for: count)
      do throws(InputError) {
        let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        isAtEnd = got == 0
        end += got
        progress?(offset + end - start)
      } catch {
        failure = error
        isAtEnd = true
      }
    }
    return true
  }

  private func makeRoom(for count: Int) {
    if start > 0 {
      buffer.baseAddress.map { _ = memmove($0, $0 + start, end - start) }
      end -= start
      start = 0
    }
    // Grows with the bytes that are really there, not with what a length field claims.
    guard end == buffer.count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: buffer.count * 2, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
    buffer.deallocate()
    buffer = larger
  }
}

/// A source whose first bytes were looked at.
private final class RestOf: ByteSource {
  private let first: MemorySource
  private let rest: any ByteSource

  init(_ rest: any ByteSource, after first: [UInt8]) {
    self.rest = rest
    self.first = MemorySource(first)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    let count = try first.read(into: buffer)
    return count > 0 ? count : try rest.read(into: buffer)
  }
}
