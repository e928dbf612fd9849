// SPDX-License-Identifier: Apache-2.0

internal import BusPeers
internal import CBench
internal import KemonBus

/// Producers publish as fast as they can, subscribers read everything; a core with several roles plays them in turn.
final class RingThroughput {
  private let round: RingRound
  private let readers: [RingReader]
  private let share: UInt64

  init(_ workload: Workload, stampsInside: Bool, in environment: Environment) throws {
    round = try RingRound(workload, stampsInside: stampsInside, in: environment)
    let ring = round.ring
    readers = try (0..<workload.subscribers).map { _ in try ring.subscribe() }
    share = UInt64(workload.events / workload.producers)
  }

  deinit { round.deallocate() }

  func run() throws -> Figure {
    let total = round.onCores(self) { raw, cpu in
      guard let raw else { return }
      let this = Unmanaged<RingThroughput>.fromOpaque(raw).takeUnretainedValue()
      if !this.work(on: cpu) { this.round.isRight.pointee = false }
    }
    guard round.isRight.pointee, total > 0 else {
      throw RoundError(description: "events lost, doubled or out of order")
    }
    return round.workload.figure(total: total, p50: 0, p99: 0)
  }

  private func work(on cpu: UInt32) -> Bool {
    switch round.recordBytes {
    case 56: work(on: cpu, Bytes56.self)
    case 64: work(on: cpu, Bytes64.self)
    case 120: work(on: cpu, Bytes120.self)
    case 128: work(on: cpu, Bytes128.self)
    case 248: work(on: cpu, Bytes248.self)
    case 256: work(on: cpu, Bytes256.self)
    default: work(on: cpu, MixedBytes.self)
    }
  }

  private func work<Size: EventSize>(on cpu: UInt32, _ size: Size.Type) -> Bool {
    let producers = round.workload.producers
    let mine = (0..<producers).filter { round.isPlayed($0, on: cpu) }
    let reading = readers.indices.filter { round.isPlayed(producers + $0, on: cpu) }
    return if reading.isEmpty, mine.count == 1 {
      publish(UInt32(mine[0]), size)
    } else {
      playInTurn(mine, reading, size)
    }
  }

  /// A producer with a core of its own.
  @inline(never)
  private func publish<Size: EventSize>(_ index: UInt32, _ size: Size.Type) -> Bool {
    let ring = round.ring
    var source = EventSource(round.environment)
    defer { source.deallocate() }
    let record = source.record
    do {
      for event in 0..<share {
        record.pointee = EventChecker.number(index, event)
        try ring.publish(UnsafeRawBufferPointer(start: record, count: Size.next(&source)))
      }
      return true
    } catch {
      return false
    }
  }

  /// Several roles: none may wait for room that another one of the thread would make.
  @inline(never)
  private func playInTurn<Size: EventSize>(
    _ producers: [Int], _ reading: [Int], _ size: Size.Type
  ) -> Bool {
    let ring = round.ring
    let readers = reading.map { self.readers[$0] }
    let goal = share * UInt64(round.workload.producers)
    var source = EventSource(round.environment)
    let checkers = UnsafeMutablePointer<EventChecker>.allocate(capacity: readers.count)
    for index in readers.indices { (checkers + index).initialize(to: EventChecker()) }
    let sent = UnsafeMutablePointer<UInt64>.allocate(capacity: producers.count)
    sent.initialize(repeating: 0, count: producers.count)
    let taken = UnsafeMutablePointer<UInt64>.allocate(capacity: readers.count)
    taken.initialize(repeating: 0, count: readers.count)
    defer {
      source.deallocate()
      for index in readers.indices { checkers[index].deallocate() }
      checkers.deallocate()
      sent.deallocate()
      taken.deallocate()
    }
    var pendingSize = 0
    var turns: UInt32 = 0
    var isDone = false
    var isRight = true
    while !isDone {
      isDone = true
      var isBusy = false
      for index in producers.indices {
        let start = sent[index]
        let end = min(start &+ UInt64(BUS_BATCH), share)
        while sent[index] < end {
          if pendingSize == 0 { pendingSize = Size.next(&source) }
          source.record.pointee = EventChecker.number(UInt32(producers[index]), sent[index])
          let bytes = UnsafeRawBufferPointer(start: source.record, count: Size.of(pendingSize))
          do {
            guard try ring.tryPublish(bytes) != nil else { break }
          } catch {
            isRight = false
          }
          pendingSize = 0
          sent[index] &+= 1
        }
        if sent[index] != start { turns = 0 }
        if sent[index] == start &+ UInt64(BUS_BATCH) { isBusy = true }
        if sent[index] != share { isDone = false }
      }
      for index in readers.indices where taken[index] < goal {
        var checker = checkers[index]
        let count = readers[index].drain { record in
          if let start = record.bytes.baseAddress {
            checker.see(start, Size.of(record.bytes.count), firstTouch: Size.firstTouch)
          }
          return true
        }
        checkers[index] = checker
        taken[index] &+= UInt64(count)
        if count >= Int(BUS_BATCH) { isBusy = true }
        if taken[index] < goal { isDone = false }
      }
      if isBusy { turns = 0 } else if !isDone { bench_relax(&turns) }
    }
    return isRight
      && readers.indices.allSatisfy {
        checkers[$0].isRight(producers: round.workload.producers, share: share)
      }
  }
}
