// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonBus
public import KemonEvents
import KemonPlatform
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
    var file: RecordingFile?
    var failure: RecordingError?
    /// Declared kinds with as many fields as the file knows of each, and those that the batch brings.
    var declared: [EventKind: Int] = [:]
    var newlyDeclared: [EventKind: Int] = [:]
  }

  /// A batch is committed at this size, however few records it has.
  private static let batchBytes = 8 << 20

  /// The file.
  public let path: String
  private let options: Options
  private let state: PosixLock<State>

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
    self.path = path
    self.options = options
    let file = try RecordingFile(creating: path, maximumBytes: options.maximumBytes)
    state = PosixLock(State(file: file))
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
    self.path = path
    self.options = options
    let file = try RecordingFile(appendingTo: path, maximumBytes: options.maximumBytes)
    // A number stands for one kind in a file: what was declared in another run must have its number here, too.
    let declared = DeclaredKindMap(try file.declaredKinds())
    guard declared.isIdentity else {
      throw RecordingError(
        .cannotWrite, path,
        "not appended to: its declared kinds have other numbers than those of this run")
    }
    state = PosixLock(State(file: file, declared: declared.fieldCounts))
  }

  deinit { try? close() }

  /// Adds a record.
  ///
  /// - Parameter record: a sealed record.
  /// - Throws: ``RecordingError`` when its batch was to be committed and could not be, or an earlier one could not.
  public func append(_ record: RecordView) throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if let failure = state.failure { throw failure }
      if state.batch.count == 0 {
        state.dueAt = EventClock.monotonic() + UInt64(options.interval) * 1_000_000
      }
      // A kind may grow while it is recorded.
      if record.kind.isDeclared, let count = record.kind.declaration?.fields.count,
        count > state.declared[record.kind] ?? -1
      {
        state.newlyDeclared[record.kind] = count
      }
      state.batch.append(record)
      if state.batch.count >= options.batch || state.batch.byteCount >= Self.batchBytes
        || EventClock.monotonic() >= state.dueAt
      {
        try commit(&state)
      }
    }
  }

  /// Commits the batch if its first record has waited long enough.
  public func commitIfDue() throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if state.batch.count > 0, EventClock.monotonic() >= state.dueAt { try commit(&state) }
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
      guard let file = state.file else { return }
      defer {
        state.file = nil
        state.failure =
          state.failure ?? RecordingError(.cannotWrite, path, "the recording is closed")
      }
      let outcome = Result { () throws(RecordingError) in
        if state.failure == nil { try commit(&state) }
      }
      try file.close()
      try outcome.get()
    }
  }

  private func commit(_ state: inout State) throws(RecordingError) {
    if let failure = state.failure { throw failure }
    guard state.batch.count > 0, let file = state.file else { return }
    defer { state.batch.removeAll() }
    do throws(RecordingError) {
      try file.insert(state.batch, declaring: state.newlyDeclared.keys)
      state.declared.merge(state.newlyDeclared) { max($0, $1) }
      state.newlyDeclared = [:]
      state.committed += state.batch.count
    } catch {
      // The batch is given up, not tried again: a full disk would make every later call wait for it.
      state.failure = error
      throw error
    }
  }

  private func write(_ body: (Database) throws -> Void) throws(RecordingError) {
    try state.withLock { state throws(RecordingError) in
      if let failure = state.failure { throw failure }
      try state.file?.write(body)
    }
  }
}
