// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A library's code in memory, as the dynamic linker would map it, but never linked and never run.
///
/// Unmapped when the last reference goes.
final class PrivateImage {
  private let start: UnsafeMutableRawPointer
  private let size: Int

  /// Where the library's address 0 is.
  var base: UInt { UInt(bitPattern: start) }

  /// Maps a library.
  init(_ file: LibraryFile) throws(SurveyError) {
    let end = file.segments.map { $0.address &+ UInt($0.size) }.max() ?? 0
    guard end > 0, end < 1 << 32 else {
      throw SurveyError(.damaged, file.path, "its segments end at \(end); needed is 1 to 4 GiB")
    }
    size = Int(end)
    let reserved = mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let reserved, reserved != MAP_FAILED else { throw Self.failure(file.path) }
    start = reserved
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(file.path) }
    defer { close(descriptor) }
    for segment in file.segments where segment.fileSize > 0 {
      let skew = Int(segment.address) & 4095
      guard segment.fileOffset & 4095 == skew else {
        throw SurveyError(
          .damaged, file.path,
          "the segment at \(segment.address) is at \(segment.fileOffset) in the file, which no page can hold"
        )
      }
      let protection = segment.isExecutable ? PROT_READ | PROT_EXEC : PROT_READ
      let place = mmap(
        start + Int(segment.address) - skew, segment.fileSize + skew, protection,
        MAP_PRIVATE | MAP_FIXED, descriptor, segment.fileOffset - skew)
      guard place != MAP_FAILED else { throw Self.failure(file.path) }
    }
  }

  deinit { munmap(start, size) }

  private static func failure(_ path: String) -> SurveyError {
    SurveyError(.unreadable, path, "it can not be mapped: \(String(cString: strerror(errno)))")
  }
}
