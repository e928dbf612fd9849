// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import KemonEvents

/// The database behind a writer: made, opened, written in transactions, closed.
struct RecordingFile: Sendable {
  let path: String
  private let queue: DatabaseQueue

  /// Makes a new file; there must be none yet.
  init(creating path: String, maximumBytes: Int?) throws(RecordingError) {
    try Self.createFile(path)
    do throws(RecordingError) {
      // The tables are made before the log is used, so that the file itself tells what it is from the start.
      queue = try Self.open(path, maximumBytes) { database in
        try database.inTransaction {
          try RecordingSchema.create(in: database)
          return .commit
        }
      }
    } catch {
      unlink(path)
      throw error
    }
    self.path = path
  }

  /// Opens a file that is a whole recording.
  init(appendingTo path: String, maximumBytes: Int?) throws(RecordingError) {
    _ = try RecordingHeader(of: path)
    queue = try Self.open(path, maximumBytes) { database in
      if let problem = try RecordingSchema.problem(appendingTo: database) {
        throw RecordingError(.notARecording, path, problem)
      }
      // A file that was cut would grow on as if nothing were missing.
      let report = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
      guard report == ["ok"] else {
        throw RecordingError(.damaged, path, "not appended to: \(report.joined(separator: "; "))")
      }
    }
    self.path = path
  }

  /// Writes in one transaction: all or nothing.
  func write(_ body: (Database) throws -> Void) throws(RecordingError) {
    try Self.mapping(path) { try queue.write(body) }
  }

  /// Writes records in one transaction: all or nothing.
  ///
  /// - Parameter kinds: declared kinds of the records that the file does not know, or knows with fewer fields.
  func insert(
    _ records: borrowing RecordBuffer, declaring kinds: some Sequence<EventKind>
  ) throws(RecordingError) {
    try Self.mapping(path) {
      try queue.write { database in
        for kind in kinds { try RecordingSchema.insert(declared: kind, in: database) }
        let statement = try database.cachedStatement(sql: RecordingSchema.insertEvent)
        for index in 0..<records.count { try Self.insert(records[index], with: statement) }
      }
    }
  }

  /// The numbers of declared kinds in the file, and what was declared.
  func declaredKinds() throws(RecordingError) -> [UInt16: String] {
    try Self.mapping(path) { try queue.read(DeclaredKindMap.texts) }
  }

  /// Makes it one file again, without a log beside it.
  func close() throws(RecordingError) {
    try Self.mapping(path) {
      do {
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        // Somebody reads it: the log stays in use, which loses nothing.
      }
      try queue.close()
    }
  }

  private static func insert(_ record: RecordView, with statement: Statement) throws {
    let event = record.event.pointee
    // In place: SQLite copies the bytes when they are bound, which is before this returns.
    let blob = Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: UnsafeRawPointer(record.event)),
      count: record.size, deallocator: .none)
    statement.setUncheckedArguments([
      Int64(bitPattern: event.seq), Int64(bitPattern: event.time_ns), Int64(event.kind),
      Int64(event.subject.pid), Int64(event.verdict), Int64(event.decided_by),
      Int64(bitPattern: event.corr), Int64(event.result), blob,
    ])
    try statement.execute()
  }

  /// Makes the empty file, which only its owner may read: a recording tells what everybody did.
  private static func createFile(_ path: String) throws(RecordingError) {
    let file = Foundation.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard file < 0 else {
      Foundation.close(file)
      return
    }
    let error = errno
    throw error == EEXIST
      ? RecordingError(
        .exists, path, "there is a file already, and a recording is never overwritten")
      : RecordingError(.cannotOpen, path, String(cString: strerror(error)))
  }

  private static func open(
    _ path: String, _ maximumBytes: Int?, _ prepare: (Database) throws -> Void
  ) throws(RecordingError) -> DatabaseQueue {
    try mapping(path) {
      var configuration = Configuration()
      configuration.label = "kemon.recording"
      configuration.busyMode = .timeout(1)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { database in
        if let maximumBytes {
          let page = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
          try database.execute(sql: "PRAGMA max_page_count = \(max(1, maximumBytes / page))")
        }
        try prepare(database)
        try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
      }
      return queue
    }
  }

  private static func mapping<T>(
    _ path: String, _ body: () throws -> T
  ) throws(RecordingError) -> T {
    do {
      return try body()
    } catch let error as RecordingError {
      throw error
    } catch let error as DatabaseError {
      throw RecordingError(sqlite: error, path, otherwise: .cannotWrite)
    } catch {
      throw RecordingError(.cannotWrite, path, "\(error)")
    }
  }
}
