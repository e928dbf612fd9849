// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// All records of a recording in memory, one behind the other: what replay and benchmarks run over.
///
/// Records never change here, so that any number of threads may read them; a view lives as long as the arena.
public final class RecordArena: Sendable {
  private let records: RecordBuffer

  /// Makes an arena of copies of these records.
  ///
  /// - Parameter records: any views; they need to live during this call only.
  public init(copying records: some Sequence<RecordView>) {
    var buffer = RecordBuffer()
    for record in records { buffer.append(record) }
    self.records = buffer
  }

  init(taking buffer: consuming RecordBuffer) { records = buffer }

  /// How many records there are.
  public var count: Int { records.count }

  /// Bytes of all records.
  public var byteCount: Int { records.byteCount }

  /// A record by its place, from 0; valid as long as the arena is.
  public subscript(index: Int) -> RecordView { records[index] }

  /// The place of the first record for which something holds, or nil when there is none.
  ///
  /// - Parameter condition: for example that a record has a number or is of a time or later.
  public func firstIndex(where condition: (RecordView) throws -> Bool) rethrows -> Int? {
    try (0..<count).first { try condition(records[$0]) }
  }

  /// Calls the body with every record, in order.
  ///
  /// - Parameter body: the view is valid as long as the arena is.
  public func forEach(_ body: (RecordView) throws -> Void) rethrows {
    for index in 0..<records.count { try body(records[index]) }
  }
}
