// SPDX-License-Identifier: Apache-2.0

internal import CBench
internal import KemonBus

/// A request whose verdict comes back through the slot.
final class RingPingPong {
  private let round: RingRound
  private let reader: RingReader
  private let samples: UnsafeMutablePointer<UInt32>

  init(_ workload: Workload, in environment: Environment) throws {
    round = try RingRound(workload, stampsInside: false, in: environment)
    reader = try round.ring.subscribe()
    samples = .allocate(capacity: workload.events)
    samples.initialize(repeating: 0, count: workload.events)
  }

  deinit {
    round.deallocate()
    samples.deallocate()
  }

  func run() throws -> Figure {
    let total = round.onThreads(self, roles: 2) { raw, index in
      guard let raw else { return }
      let this = Unmanaged<RingPingPong>.fromOpaque(raw).takeUnretainedValue()
      if index == 0 { this.ask() } else { this.decide() }
    }
    guard round.isRight.pointee, total > 0 else {
      throw RoundError(description: "a verdict was wrong or did not come")
    }
    return round.workload.latency(samples, total)
  }

  private func ask() {
    switch round.workload.size {
    case 64: ask(64)
    default: ask(256)
    }
  }

  @inline(__always)
  private func ask(_ size: Int) {
    let ring = round.ring
    let source = EventSource(round.environment)
    defer { source.deallocate() }
    let record = source.record
    let bytes = UnsafeRawBufferPointer(start: record, count: size)
    for event in 0..<round.workload.events {
      let start = bench_ticks()
      record.pointee = UInt64(event)
      guard let sequence = try? ring.tryRequest(bytes),
        let verdict = ring.answer(to: sequence, spins: .max, deadline: .max),
        verdict == UInt32(truncatingIfNeeded: event)
      else {
        round.isRight.pointee = false
        // The other side waits for every event.
        continue
      }
      samples[event] = bench_ticks_since(start)
    }
  }

  private func decide() {
    let reader = reader
    let goal = round.workload.events
    var checker = EventChecker()
    defer { checker.deallocate() }
    var taken = 0
    while taken < goal {
      taken &+= reader.drain(limit: 1) { record in
        if let start = record.bytes.baseAddress {
          checker.see(start, record.bytes.count, firstTouch: 56)
          let number = start.load(as: UInt64.self)
          reader.answer(record.sequence, with: UInt32(truncatingIfNeeded: number))
        }
        return true
      }
    }
  }
}

/// One way, an event every microsecond, with the time of its publishing in its second word.
final class RingFixedRate {
  private let round: RingRound
  private let reader: RingReader
  private let samples: UnsafeMutablePointer<UInt32>

  init(_ workload: Workload, in environment: Environment) throws {
    round = try RingRound(workload, in: environment)
    reader = try round.ring.subscribe()
    samples = .allocate(capacity: workload.events)
    samples.initialize(repeating: 0, count: workload.events)
  }

  deinit {
    round.deallocate()
    samples.deallocate()
  }

  func run() throws -> Figure {
    let total = round.onThreads(self, roles: 2) { raw, index in
      guard let raw else { return }
      let this = Unmanaged<RingFixedRate>.fromOpaque(raw).takeUnretainedValue()
      if index == 0 { this.produce() } else { this.consume() }
    }
    guard round.isRight.pointee, total > 0 else {
      throw RoundError(description: "an event was refused")
    }
    return round.workload.latency(samples, total)
  }

  private func produce() {
    let ring = round.ring
    let source = EventSource(round.environment)
    defer { source.deallocate() }
    let record = source.record
    let bytes = UnsafeRawBufferPointer(start: record, count: round.recordBytes)
    let interval = UInt64(1_000 / bench_ns_per_tick())
    var due = bench_ticks()
    for event in 0..<round.workload.events {
      due &+= interval
      record.pointee = UInt64(event)
      while bench_ticks() < due {}
      record[1] = bench_ticks()
      if (try? ring.publish(bytes)) == nil { round.isRight.pointee = false }
    }
  }

  private func consume() {
    let goal = round.workload.events
    var taken = 0
    while taken < goal {
      reader.drain { record in
        let sent = record.bytes.load(fromByteOffset: 8, as: UInt64.self)
        samples[taken] = bench_ticks_since(sent)
        taken &+= 1
        return true
      }
    }
  }
}

extension Workload {
  /// The figure of samples in ticks.
  func latency(_ samples: UnsafeMutablePointer<UInt32>, _ total: Double) -> Figure {
    let tick = bench_ns_per_tick()
    return figure(
      total: total, p50: bench_percentile(samples, events, 0.5) * tick,
      p99: bench_percentile(samples, events, 0.99) * tick)
  }
}
