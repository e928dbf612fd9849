// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why the bytes of an input end before they should.
struct InputError: Error, Equatable {
  let message: String
}

/// Where the bytes of an input come from, a piece at a time.
protocol ByteSource: AnyObject {
  /// Reads at most as many bytes as the buffer holds.
  ///
  /// - Returns: how many were read; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int
}

/// A file, a pipe or a terminal.
final class FileSource: ByteSource {
  private let file: Int32
  private let isOurs: Bool

  /// Opens a file.
  ///
  /// - Parameter path: `-` means standard input.
  init(path: String) throws(RecordingError) {
    if path == "-" {
      file = STDIN_FILENO
      isOurs = false
    } else {
      file = open(path, O_RDONLY | O_CLOEXEC)
      isOurs = true
      guard file >= 0 else {
        throw RecordingError(.cannotOpen, path, String(cString: strerror(errno)))
      }
      // A folder can be opened, but not read.
      guard Glibc.read(file, nil, 0) == 0 else {
        let error = errno
        close(file)
        throw RecordingError(.cannotOpen, path, String(cString: strerror(error)))
      }
    }
  }

  deinit { if isOurs { close(file) } }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    while true {
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      let error = errno
      guard error == EINTR else {
        throw InputError(message: "cannot be read: \(String(cString: strerror(error)))")
      }
    }
  }
}

/// Bytes in memory.
final class MemorySource: ByteSource {
  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    let piece = bytes.prefix(buffer.count)
    buffer.copyBytes(from: piece)
    bytes = bytes.dropFirst(piece.count)
    return piece.count
  }
}
