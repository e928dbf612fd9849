// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import KemonEvents
import Synchronization

/// Writes records into a recording: an SQLite file that is written in batches.
///
/// ```swift
/// let writer = try RecordingWriter(creating: "boot.kemon", meta: ["source": "model"])
/// try writer.append(record)
/// try writer.close()
/// ```
///
/// A batch is committed when it is full or at the first call that comes ``Options/interval`` after its first record:
/// who appends seldom calls ``commitIfDue()`` now and then. A process that is killed loses the open batch at most;
/// the file stays readable. A writer that goes away closes its file, but cannot say whether that went well. Any thread
/// may call; calls can wait for the disk.
public final class RecordingWriter: Sendable {
  /// How a recording is written.
  public struct Options: Sendable {
    /// Records of a batch.
    public var batch = 4096
    /// Milliseconds that a record may wait for its batch to be committed.
    public var interval = 500
    /// Bytes that the file may have, or nil for as many as the disk holds.
    public var maximumBytes: Int?

    /// The defaults: 4096 records, 500 ms, no limit.
    public init() {}
  }

  private struct State: ~Copyable, Sendable {
    var batch = RecordBuffer(byteCapacity: 1 << 20)
    var dueAt: UInt64 = 0
    var committed = 0
    var queue: DatabaseQueue?
    var failure: RecordingError?
  }

  /// A batch is committed at this size, however few records it has.
  private static let batchBytes = 8 << 20

  /// The file.
  public let path: String
  private let options: Options
  private let state: Mutex<State>

  /// Creates a recording; there must be no such file yet.
  ///
  /// - Parameters:
  ///   - path: the new file.
  ///   - meta: what is to be known about the recording as a whole, by key.
  ///   - options: how it is written.
  /// - Throws: ``RecordingError`` with code `exists`, `cannotOpen`, `full` or `cannotWrite`.
  public init(
    creating path: String, meta: [String: String] = [:], options: Options = Options()
  ) throws(RecordingError) {
    guard access(path, F_OK) != 0 else {
      throw RecordingError(
        .exists, path, "there is a file already, and a recording is never overwritten")
    }
    self.path = path
    self.options = options
    // The tables are made before WAL mode is on, so that the file itself tells what it is from the start.
    let queue = try Self.open(path, options) { database in
      try database.inTransaction {
        try RecordingSchema.create(in: database)
        return .commit
      }
      try Self.useLog(database)
    }
    state = Mutex(State(queue: queue))
    try set(meta: meta)
  }

  /// Opens a recording to add records behind those it has.
  ///
  /// - Parameters:
  ///   - path: a recording of this version.
  ///   - options: how it is written.
  /// - Throws: ``RecordingError`` with any code but `exists`.
  public init(
    appendingTo path: String, options: Options = Options()
  ) throws(RecordingError) {
    try RecordingHeader.check(path)
    self.path = path
    self.options = options
    let queue = try Self.open(path, options) { database in
      // A file that was cut would grow on as if nothing were missing.
      let report = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
      guard report == ["ok"] else {
        throw RecordingError(.damaged, path, "not appended to: \(report.joined(separator: "; "))")
      }
      try Self.useLog(database)
    }
    state = Mutex(State(queue: queue))
  }

  deinit { try? close() }

  /// Adds a record.
  ///
  /// - Parameter record: a sealed record.
  /// - Throws: ``RecordingError`` when its batch was to be committed and could not be, or an earlier one could not.
  public func append(_ record: RecordView) throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if let failure = state.failure { throw failure }
      if state.batch.count == 0 { state.dueAt = Self.now() + UInt64(options.interval) * 1_000_000 }
      state.batch.append(record)
      if state.batch.count >= options.batch || state.batch.byteCount >= Self.batchBytes
        || Self.now() >= state.dueAt
      {
        try commit(&state)
      }
    }
  }

  /// Commits the batch if its first record has waited long enough.
  public func commitIfDue() throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if state.batch.count > 0, Self.now() >= state.dueAt { try commit(&state) }
    }
  }

  /// Commits what was appended until now.
  public func commit() throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in try commit(&state) }
  }

  /// Records that are safely in the file.
  public var committed: Int { state.withLock { $0.committed } }

  /// Keeps facts about the recording as a whole.
  ///
  /// - Parameter meta: texts by key; a key that is there already gets the new text.
  public func set(meta: [String: String]) throws(RecordingError) {
    try write { database in
      for (key, value) in meta {
        try database.execute(
          sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [key, value])
      }
    }
  }

  /// Keeps the names behind the ids that votes carry.
  ///
  /// - Parameters:
  ///   - plugins: names by `kemon_vote.plugin_id`.
  ///   - handlers: names by `kemon_vote.handler_id`.
  public func set(
    plugins: [UInt32: String], handlers: [UInt32: String] = [:]
  ) throws(RecordingError) {
    try write { database in
      for (id, name) in plugins {
        try RecordingSchema.insert(name: name, of: Int64(id), as: "plugin", in: database)
      }
      for (id, name) in handlers {
        try RecordingSchema.insert(name: name, of: Int64(id), as: "handler", in: database)
      }
    }
  }

  /// Commits the rest and makes the recording one file again, without a log beside it.
  ///
  /// Later calls fail.
  public func close() throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      guard let queue = state.queue else { return }
      defer {
        state.queue = nil
        state.failure =
          state.failure ?? RecordingError(.cannotWrite, path, "the recording is closed")
      }
      if state.failure == nil { try commit(&state) }
      try Self.mapping(path) {
        do {
          try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
          // Somebody reads it: the log stays in use, which loses nothing.
        }
        try queue.close()
      }
    }
  }

  // MARK: Inside

  private func commit(_ state: inout State) throws(RecordingError) {
    if let failure = state.failure { throw failure }
    guard state.batch.count > 0, let queue = state.queue else { return }
    do {
      try Self.mapping(path) {
        try queue.write { database in
          let insert = try database.cachedStatement(sql: RecordingSchema.insertEvent)
          for index in 0..<state.batch.count { try Self.insert(state.batch[index], with: insert) }
        }
      }
    } catch {
      // The batch is given up, not tried again: a full disk would make every later call wait for it.
      state.failure = error
      state.batch.removeAll()
      throw error
    }
    state.committed += state.batch.count
    state.batch.removeAll()
  }

  private func write(_ body: (Database) throws -> Void) throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if let failure = state.failure { throw failure }
      guard let queue = state.queue else { return }
      try Self.mapping(path) { try queue.write(body) }
    }
  }

  private static func insert(_ record: RecordView, with statement: Statement) throws {
    let event = record.event.pointee
    // The bytes are bound before this returns: SQLite copies them.
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

  private static func open(
    _ path: String, _ options: Options, _ prepare: (Database) throws -> Void
  ) throws(RecordingError) -> DatabaseQueue {
    try mapping(path) {
      var configuration = Configuration()
      configuration.label = "kemon.recording"
      configuration.busyMode = .timeout(1)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { database in
        if let bytes = options.maximumBytes {
          let page = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
          try database.execute(sql: "PRAGMA max_page_count = \(max(1, bytes / page))")
        }
        try prepare(database)
      }
      return queue
    }
  }

  private static func useLog(_ database: Database) throws {
    try database.execute(
      sql: """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        """)
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

  /// Nanoseconds of a clock that never jumps.
  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
