// SPDX-License-Identifier: Apache-2.0

internal import CBench
internal import KemonBus
internal import Synchronization

/// What publishing costs the thread on which events happen: nobody reads, or an observer that parks when it is idle.
final class RingPublishOnly {
  private let round: RingRound
  private let reader: RingReader?
  private let nanoseconds = Atomic<UInt64>(0)
  private let isOver = Atomic<Bool>(false)

  init(_ workload: Workload, in environment: Environment) throws {
    round = try RingRound(workload, in: environment)
    reader =
      workload.subscribers == 0
      ? nil : try round.ring.subscribe(ReaderOptions(overflow: .drop))
  }

  deinit { round.deallocate() }

  func run() throws -> Figure {
    let total = round.onThreads(self, roles: reader == nil ? 1 : 2) { raw, index in
      guard let raw else { return }
      let this = Unmanaged<RingPublishOnly>.fromOpaque(raw).takeUnretainedValue()
      if index == 0 { this.produce() } else { this.consume() }
    }
    guard round.isRight.pointee, total > 0 else {
      throw RoundError(description: "an event was refused")
    }
    return round.workload.figure(
      total: Double(nanoseconds.load(ordering: .relaxed)), p50: 0, p99: 0)
  }

  private func produce() {
    let ring = round.ring
    let source = EventSource(round.environment)
    defer { source.deallocate() }
    let record = source.record
    let bytes = UnsafeRawBufferPointer(start: record, count: round.recordBytes)
    let start = bench_ticks()
    for event in 0..<round.workload.events {
      record.pointee = UInt64(event)
      if (try? ring.publish(bytes)) == nil { round.isRight.pointee = false }
    }
    let ticks = bench_ticks() &- start
    nanoseconds.store(UInt64(Double(ticks) * bench_ns_per_tick()), ordering: .relaxed)
    isOver.store(true, ordering: .releasing)
    ring.wakeAll()
  }

  private func consume() {
    guard let reader else { return }
    var waiting = WaitParking()
    while true {
      if reader.drain({ _ in true }) != 0 {
        waiting.reset()
      } else if isOver.load(ordering: .acquiring) {
        return
      } else {
        waiting.wait(for: reader)
      }
    }
  }
}
