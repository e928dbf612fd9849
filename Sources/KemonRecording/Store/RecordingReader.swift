// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
public import KemonEvents

/// Reads a recording without ever writing to it.
///
/// A recording is bad input until proven otherwise: each record is checked before anybody sees it, a bad one is
/// skipped and reported by its row, of a damaged file everything before the damage is read, and of one that is cut also
/// what lies before the cut without its place in the tree. One thread at a time.
public final class RecordingReader {
  /// A row that is no record.
  public struct SkippedRow: Equatable, Sendable, CustomStringConvertible {
    /// The id of the row in the table `event`.
    public let row: Int64
    /// The rule that its bytes break.
    public let reason: KemonEvents.RecordError

    /// The row and the rule.
    public var description: String { "row \(row): \(reason)" }
  }

  /// How a walk over the records ended.
  public struct Outcome: Equatable, Sendable {
    /// Records that were handed over.
    public internal(set) var read = 0
    /// Rows that were not.
    public internal(set) var skipped = 0
    /// The first of the skipped rows, at most 100.
    public internal(set) var skippedRows: [SkippedRow] = []
    /// What ended the walk early, if anything did.
    public internal(set) var damage: RecordingError?

    /// Whether every record of the file was handed over.
    public var isComplete: Bool { skipped == 0 && damage == nil }

    mutating func skip(row: Int64, _ reason: KemonEvents.RecordError) {
      skipped += 1
      if skippedRows.count < 100 { skippedRows.append(SkippedRow(row: row, reason: reason)) }
    }
  }

  /// The file.
  public let path: String
  /// Whether the writer closed the recording.
  ///
  /// False while it is still written, and for ever when the writer was killed: the last half second may be missing.
  public let wasClosed: Bool
  let queue: DatabaseQueue
  /// The numbers that declared kinds have in the file.
  let kinds: DeclaredKindMap
  /// Why the file is known to be cut, though every record that is left may be good.
  private let cut: RecordingError?

  /// Opens a recording, also one whose writer was killed or whose end is missing.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``RecordingError`` with code `cannotOpen`, `notARecording`, `wrongVersion` or `damaged`.
  public init(opening path: String) throws(RecordingError) {
    wasClosed = try !RecordingHeader(of: path).usesLog
    self.path = path
    do {
      queue = try Self.open(path, salvaging: false)
      cut = nil
    } catch let error where error.code == .damaged {
      queue = try Self.open(path, salvaging: true)
      cut = RecordingError(
        .damaged, path,
        "the file ends at byte \(FileSize.of(path)), before its end: \(error.message)")
    }
    // What cannot be read here declares nothing: its records say so.
    kinds = DeclaredKindMap((try? queue.read(DeclaredKindMap.texts)) ?? [:])
  }

  /// Hands over all records in the order in which they were written.
  ///
  /// - Parameter body: gets a record that is valid during the call; returns false to end the walk.
  /// - Returns: how many were read and skipped, and what ended the walk early.
  public func forEach<E: Error>(_ body: (RecordView) throws(E) -> Bool) throws(E) -> Outcome {
    var outcome = Outcome()
    var scratch = RecordBuffer()
    var failure: E?
    let damage = walk { row, bytes in
      scratch.removeAll()
      do throws(KemonEvents.RecordError) {
        try scratch.append(validating: bytes, kinds)
      } catch {
        outcome.skip(row: row, error)
        return true
      }
      outcome.read += 1
      do throws(E) {
        return try body(scratch[0])
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    outcome.damage = damage ?? cut
    return outcome
  }

  /// Reads all records into memory.
  ///
  /// - Returns: the good records, and how the walk ended.
  public func loadAll() -> (records: RecordArena, outcome: Outcome) {
    var outcome = Outcome()
    var buffer = RecordBuffer(byteCapacity: 1 << 20)
    let damage = walk { row, bytes in
      do throws(KemonEvents.RecordError) {
        try buffer.append(validating: bytes, kinds)
        outcome.read += 1
      } catch {
        outcome.skip(row: row, error)
      }
      return true
    }
    outcome.damage = damage ?? cut
    return (RecordArena(taking: buffer), outcome)
  }

  /// Finds one record by its number.
  ///
  /// - Parameters:
  ///   - seq: the record's own number, from 1.
  ///   - body: gets the record, valid during the call.
  /// - Returns: what the body returns, or nil when there is no such record.
  /// - Throws: ``RecordingError`` with code `damaged` when the file or the record is broken.
  public func record<T>(seq: UInt64, _ body: (RecordView) -> T) throws(RecordingError) -> T? {
    var found: T?
    var broken: RecordingError?
    let damage = walk(where: "seq = ?", [Int64(bitPattern: seq)]) { row, bytes in
      var scratch = RecordBuffer()
      do throws(KemonEvents.RecordError) {
        try scratch.append(validating: bytes, kinds)
        found = body(scratch[0])
      } catch {
        broken = RecordingError(.damaged, path, "row \(row): \(error)")
      }
      return false
    }
    if let error = damage ?? broken { throw error }
    return found
  }

  /// Walks over the rows of the table, and says what ended that early.
  ///
  /// - Parameter condition: which rows; nil for all, those of a file that is cut which only their pages tell of, too.
  private func walk(
    where condition: String? = nil, _ arguments: StatementArguments = [],
    _ body: (Int64, UnsafeRawBufferPointer) -> Bool
  ) -> RecordingError? {
    var last: Int64 = 0
    do {
      try queue.read { database in
        let rows = try Row.fetchCursor(
          database, sql: "SELECT id, record FROM event WHERE \(condition ?? "TRUE") ORDER BY id",
          arguments: arguments)
        while let row = try rows.next() {
          // On a page that is cut in the middle, the first rows have become zero, their ids, too.
          last = max(row[0], last + 1)
          let goOn = try row.withUnsafeData(atIndex: 1) { data in
            data?.withUnsafeBytes { body(last, $0) }
              ?? body(last, UnsafeRawBufferPointer(start: nil, count: 0))
          }
          guard goOn else { break }
        }
      }
      return nil
    } catch {
      let message = (error as? DatabaseError)?.message ?? "\(error)"
      let size = FileSize.of(path)
      if cut != nil, condition == nil, let rows = LooseRows(of: path) {
        rows.forEach(after: last) { row, bytes in
          last = row
          return bytes.withUnsafeBytes { body(row, $0) }
        }
      }
      return RecordingError(
        .damaged, path, "row \(last) is the last that can be read of \(size) bytes: \(message)")
    }
  }

  private static func open(
    _ path: String, salvaging: Bool
  ) throws(RecordingError) -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "kemon.recording"
    configuration.readonly = true
    if salvaging {
      // Of a file that is shorter than its header says, SQLite reads nothing unless it is told to repair it.
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA writable_schema = ON") }
    }
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      if let problem = try queue.read(RecordingSchema.problem(readingFrom:)) {
        throw RecordingError(.notARecording, path, problem)
      }
      return queue
    } catch let error as RecordingError {
      throw error
    } catch let error as DatabaseError {
      throw RecordingError(sqlite: error, path, otherwise: .cannotOpen)
    } catch {
      throw RecordingError(.cannotOpen, path, "\(error)")
    }
  }
}
