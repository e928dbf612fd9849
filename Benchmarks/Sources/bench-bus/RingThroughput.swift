// SPDX-License-Identifier: Apache-2.0

internal import CBench
internal import KemonBus

/// Producers publish as fast as they can, subscribers read everything.
final class RingThroughput {
  private let round: RingRound
  private let readers: [RingReader]
  private let share: UInt64

  init(_ workload: Workload, in environment: Environment) throws {
    round = try RingRound(workload, in: environment)
    let ring = round.ring
    readers = try (0..<workload.subscribers).map { _ in try ring.subscribe() }
    share = UInt64(workload.events / workload.producers)
  }

  deinit { round.deallocate() }

  func run() throws -> Figure {
    let workload = round.workload
    let total = round.onThreads(self, roles: workload.producers + workload.subscribers) {
      raw, index in
      guard let raw else { return }
      let this = Unmanaged<RingThroughput>.fromOpaque(raw).takeUnretainedValue()
      let producers = this.round.workload.producers
      let isRight =
        Int(index) < producers ? this.produce(index) : this.consume(Int(index) - producers)
      if !isRight { this.round.isRight.pointee = false }
    }
    guard round.isRight.pointee, total > 0 else {
      throw RoundError(description: "events lost, doubled or out of order")
    }
    return workload.figure(total: total, p50: 0, p99: 0)
  }

  // The size is a constant of the loop, as it is a constant of the peers' types.
  private func produce(_ index: UInt32) -> Bool {
    switch round.workload.size {
    case 64: publish(index) { _ in 64 }
    case 128: publish(index) { _ in 128 }
    case 256: publish(index) { _ in 256 }
    default: publish(index) { $0.nextSize() }
    }
  }

  @inline(__always)
  private func publish(_ index: UInt32, _ size: (inout EventSource) -> Int) -> Bool {
    let ring = round.ring
    var source = EventSource(round.environment)
    defer { source.deallocate() }
    let record = source.record
    do {
      for event in 0..<share {
        record.pointee = EventChecker.number(index, event)
        try ring.publish(UnsafeRawBufferPointer(start: record, count: size(&source)))
      }
      return true
    } catch {
      return false
    }
  }

  private func consume(_ index: Int) -> Bool {
    switch round.workload.size {
    case 64: read(index) { _ in 64 }
    case 128: read(index) { _ in 128 }
    case 256: read(index) { _ in 256 }
    default: read(index) { $0 }
    }
  }

  @inline(__always)
  private func read(_ index: Int, _ size: (Int) -> Int) -> Bool {
    let reader = readers[index]
    let producers = round.workload.producers
    let isShared: Int32 = round.isShared ? 1 : 0
    let goal = share * UInt64(producers)
    var checker = EventChecker()
    defer { checker.deallocate() }
    var taken: UInt64 = 0
    var turns: UInt32 = 0
    while taken < goal {
      let count = reader.drain { record in
        if let start = record.bytes.baseAddress { checker.see(start, size(record.bytes.count)) }
        return true
      }
      taken &+= UInt64(count)
      if count < 64 { bench_relax(&turns, isShared) } else { turns = 0 }
    }
    return checker.isRight(producers: producers, share: share)
  }
}
