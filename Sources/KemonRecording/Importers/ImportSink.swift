// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Where an importer puts its events, and where it says what became of each record of its input.
struct ImportSink: ~Copyable {
  /// Reasons that are counted apart.
  private static let reasonLimit = 500

  private(set) var report: ImportReport
  private var builder = RecordBuilder()
  private var lastSeq: UInt64 = 0
  private var lastCorr: UInt64 = 0
  private let output: (RecordView) throws(RecordingError) -> Void

  init(format: String, output: @escaping (RecordView) throws(RecordingError) -> Void) {
    report = ImportReport(format: format)
    self.output = output
  }

  // MARK: Accounting

  /// A record of the input was read.
  mutating func read() { report.inputs += 1 }

  /// Records of the input went into an event.
  mutating func use(_ count: Int = 1) { report.used += count }

  /// Records of the input go into no event.
  mutating func skip(_ reason: String, _ count: Int = 1) {
    // Reasons name what the input calls things: of hostile input there are as many as it likes.
    let isKnown = report.skipped[reason] != nil || report.skipped.count < Self.reasonLimit
    report.skipped[isKnown ? reason : "another reason", default: 0] += count
  }

  /// Records of the input that no event kind is there for.
  ///
  /// - Parameter what: the name that the input gives.
  mutating func skip(noKindFor what: String, _ count: Int = 1) {
    skip("no event kind for \(Printable.text(what))", count)
  }

  /// The input is broken at a place.
  mutating func problem(at place: String, _ message: String) {
    report.problemCount += 1
    if report.problems.count < 100 {
      report.problems.append(ImportReport.Problem(place: place, message: message))
    }
  }

  // MARK: Events

  /// A new number that ties the two sides of an operation together.
  mutating func newOperation() -> UInt64 {
    lastCorr += 1
    return lastCorr
  }

  /// Writes an event.
  ///
  /// - Parameters:
  ///   - kind: a row of the event table, as a `KEMON_KIND_*` constant.
  ///   - time: nanoseconds since 1970.
  ///   - operation: what ``newOperation()`` gave.
  ///   - build: fills in subject, payload and result.
  mutating func emit(
    _ kind: some BinaryInteger, at time: UInt64, operation: UInt64,
    _ build: (inout RecordBuilder) -> Void
  ) throws(RecordingError) {
    let kind = EventKind(kind)
    lastSeq += 1
    builder.begin(kind)
    builder.header.pointee.seq = lastSeq
    builder.header.pointee.corr = operation
    builder.header.pointee.time_ns = time
    build(&builder)
    try output(builder.seal())
    report.events[kind, default: 0] += 1
  }
}
