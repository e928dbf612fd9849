// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Synchronization

extension ByteRing {
  /// Joins the ring: everything published from now on is there for the new reader.
  ///
  /// - Parameter options: what happens when the reader is a whole ring behind, and what it wants to see.
  /// - Throws: ``RingError/Code/tooManySubscribers``.
  public func subscribe(_ options: ReaderOptions = ReaderOptions()) throws(RingError) -> RingReader
  {
    for index in 0..<RingLayout.subscriberLimit {
      let line = line(index)
      let (free, _) = line[0].compareExchange(
        expected: LineState.free, desired: LineState.joining, ordering: .sequentiallyConsistent)
      guard free else { continue }
      coverLine(index)
      line[2].store(options.gates ? options.patienceNanoseconds : 0, ordering: .relaxed)
      line[3].store(options.overflow == .exit ? 1 : 0, ordering: .relaxed)
      // Known to the producers before its first record is fixed: see write and refreshLimit.
      audience.pointee.wrappingAdd(options.copies ? 1 << 32 : 1, ordering: .sequentiallyConsistent)
      line[1].store(published, ordering: .sequentiallyConsistent)
      line[0].store(
        options.gates ? LineState.gating : LineState.copying, ordering: .sequentiallyConsistent)
      fenceForProducers()
      let first = published
      line[1].store(first, ordering: .sequentiallyConsistent)
      return RingReader(ring: self, line: index, options: options, first: first)
    }
    throw RingError(
      .tooManySubscribers, "all \(RingLayout.subscriberLimit) places for subscribers are taken")
  }

  /// Makes producers look at lines up to this one.
  private func coverLine(_ index: Int) {
    var known = lineCount.pointee.load(ordering: .sequentiallyConsistent)
    while known <= index {
      (_, known) = lineCount.pointee.compareExchange(
        expected: known, desired: UInt64(index) + 1, ordering: .sequentiallyConsistent)
    }
  }

  /// Gives a line back; its reader reads no more.
  func release(line index: Int, copies: Bool) {
    audience.pointee.wrappingSubtract(copies ? 1 << 32 : 1, ordering: .sequentiallyConsistent)
    line(index)[0].store(LineState.free, ordering: .sequentiallyConsistent)
  }

  /// Whether a reader with the policy `exit` has lost records: the run is to end.
  public var hasOverflowed: Bool { overflows.pointee.load(ordering: .relaxed) != 0 }
}
