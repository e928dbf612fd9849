// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reads whole files of bounded size.
enum FileBytes {
  /// Kexts are smaller than this by far.
  private static let limit: Int64 = 256 << 20

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Reads a regular file; one that is a pipe or a device would never end.
  static func read(_ path: String, atMost limit: Int64 = limit) throws(MachOError) -> [UInt8] {
    func unreadable(_ error: Int32) -> MachOError {
      MachOError(.unreadable, file: path, "cannot be read: \(String(cString: strerror(error)))")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw MachOError(.unreadable, file: path, "cannot be read: not a regular file")
    }
    guard status.st_size <= limit else {
      throw MachOError(
        .unsupported, file: path, "\(status.st_size) bytes, at most \(limit) are read")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(errno) }
      // Somebody made it shorter meanwhile.
      if count == 0 { break }
      filled += count
    }
    return Array(bytes.prefix(filled))
  }
}
