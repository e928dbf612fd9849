// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The first bytes of a recording, looked at before SQLite is: so that a foreign file gets a clear answer and is
/// never written to.
struct RecordingHeader {
  /// Whether changes go to a log beside the file: so it is while a recording is written.
  let usesLog: Bool

  /// Checks that a file is a recording of this version.
  init(of path: String) throws(RecordingError) {
    let bytes = try Self.read(path)
    guard bytes.starts(with: RecordingSchema.magic) else {
      throw RecordingError(
        .notARecording, path,
        bytes.isEmpty ? "the file is empty, not a recording" : "not a recording (no SQLite file)")
    }
    guard bytes.count == RecordingSchema.headerSize else {
      throw RecordingError(
        .damaged, path,
        "cut at byte \(bytes.count), inside its header of \(RecordingSchema.headerSize) bytes")
    }
    let application = Self.integer(bytes, at: RecordingSchema.applicationIDOffset)
    guard application == RecordingSchema.applicationID else {
      throw RecordingError(
        .notARecording, path,
        "an SQLite file, but not a recording: application id \(application) at byte "
          + "\(RecordingSchema.applicationIDOffset), needed \(RecordingSchema.applicationID)")
    }
    let version = Self.integer(bytes, at: RecordingSchema.versionOffset)
    guard version == RecordingSchema.version else {
      throw RecordingError(
        .wrongVersion(found: Int(version), needed: Int(RecordingSchema.version)), path,
        "schema version \(version), this version reads \(RecordingSchema.version)")
    }
    usesLog = bytes[RecordingSchema.writeVersionOffset] == 2
  }

  private static func read(_ path: String) throws(RecordingError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw RecordingError(.cannotOpen, path, String(cString: strerror(errno)))
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: RecordingSchema.headerSize)
    let count = Glibc.read(file, &bytes, bytes.count)
    guard count >= 0 else {
      throw RecordingError(.cannotOpen, path, String(cString: strerror(errno)))
    }
    return Array(bytes.prefix(count))
  }

  private static func integer(_ bytes: [UInt8], at offset: Int) -> Int32 {
    Int32(bitPattern: bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) })
  }
}
