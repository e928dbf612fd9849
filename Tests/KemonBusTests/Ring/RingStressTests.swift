// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

/// Four producers and four subscribers of different policies that join and leave; KEMON_STRESS_SECONDS says how long.
@Suite(.serialized) struct RingStressTests {
  @Test func `nothing is torn, doubled, reordered or uncounted`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 64, slotBytes: 256, recordLimit: 65_536))
    let stop = Counter()
    let faults = Faults()
    // One is there from the first record to the last.
    let witness = try ring.subscribe()
    let producers = (0..<4)
      .map { number in
        WorkerThread(named: "producer") { Stressor.produce(ring, number, until: stop, faults) }
      }
    let options: [ReaderOptions] = [
      ReaderOptions(overflow: .block), ReaderOptions(overflow: .drop),
      ReaderOptions(overflow: .drop, sampling: 7),
      ReaderOptions(overflow: .block, patience: .seconds(30)),
    ]
    let isOver = Counter()
    let readers = options.map { options in
      WorkerThread(named: "reader") { Stressor.read(ring, options, until: isOver, faults) }
    }
    let witnessing = WorkerThread(named: "witness") {
      var checker = Stressor.Checker(faults)
      while true {
        let isLast = isOver.value > 0
        if witness.drain({ checker.check($0) }) == 0 {
          if isLast { return }
          witness.park(milliseconds: 5)
        }
      }
    }
    usleep(UInt32(Stress.seconds * 1e6))
    stop.add(1)
    for producer in producers { producer.join() }
    isOver.add(1)
    for reader in readers + [witnessing] { reader.join() }
    #expect(faults.torn.value == 0, "checksums")
    #expect(faults.order.value == 0, "order of each producer, sequence of the ring, gaps as told")
    #expect(faults.account.value == 0, "accounts of those who came and went")
    #expect(faults.refused.value == 0)
    let account = witness.account(named: "witness")
    #expect(account.delivered + account.muted == ring.published, "\(account)")
    #expect(account.isBalanced && account.lost == 0)
    #expect(faults.produced.value == Int(ring.published))
    #expect(faults.visits.value > 10, "subscribers did join and leave")
  }
}

/// What goes wrong, and that something went on at all.
final class Faults: Sendable {
  let torn = Counter()
  let order = Counter()
  let account = Counter()
  let refused = Counter()
  let produced = Counter()
  let visits = Counter()
}

enum Stressor {
  /// Words of a record: producer, its number, a sum of what follows.
  static func produce(_ ring: ByteRing, _ producer: Int, until stop: Counter, _ faults: Faults) {
    var random = SplitMix64(seed: UInt64(producer) + 77)
    let words = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 8192)
    defer { words.deallocate() }
    var number: UInt64 = 0
    while stop.value == 0 {
      for _ in 0..<16 {
        let isLarge = random.next() % 32 == 0
        // From 16 bytes, which hold no more than who and which, to 64 KiB.
        let count = isLarge ? Int(random.next() % 8191) + 2 : Int(random.next() % 60) + 2
        words[0] = UInt64(producer)
        words[1] = number
        let fill = random.next()
        for index in 3..<max(count, 3) { words[index] = fill &+ UInt64(index) }
        if count > 2 { words[2] = sum(UnsafeBufferPointer(rebasing: words[3..<max(count, 3)])) }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(words)[..<(count * 8)])
        if (try? ring.publish(bytes)) == nil { faults.refused.add(1) }
        number += 1
      }
      faults.produced.add(16)
    }
  }

  static func sum(_ words: UnsafeBufferPointer<UInt64>) -> UInt64 {
    words.reduce(1) { $0 &* 31 &+ $1 }
  }

  /// What one subscriber has seen so far.
  struct Checker {
    private let faults: Faults
    private var numbers = [Int64](repeating: -1, count: 4)
    private var sequence: UInt64?
    private let sampling: UInt64

    init(_ faults: Faults, sampling: Int = 1) {
      self.faults = faults
      self.sampling = UInt64(sampling)
    }

    mutating func check(_ record: RingRecord) -> Bool {
      let words = record.bytes.bindMemory(to: UInt64.self)
      guard words.count >= 2, words[0] < 4 else {
        faults.torn.add(1)
        return true
      }
      if words.count > 2,
        words[2] != Stressor.sum(UnsafeBufferPointer(rebasing: words[3...]))
      {
        faults.torn.add(1)
      }
      let producer = Int(words[0])
      if Int64(words[1]) <= numbers[producer] { faults.order.add(1) }
      numbers[producer] = Int64(words[1])
      if let sequence, record.sequence != sequence + sampling * (record.lostBefore + 1) {
        faults.order.add(1)
      }
      sequence = record.sequence
      return words[1] % 3 != 0
    }
  }

  /// Joins, reads for a while, leaves with something unread, and looks at the account.
  static func read(
    _ ring: ByteRing, _ options: ReaderOptions, until isOver: Counter, _ faults: Faults
  ) {
    var random = SplitMix64(seed: 3)
    while isOver.value == 0 {
      guard let reader = try? ring.subscribe(options) else { return faults.account.add(1) }
      var checker = Checker(faults, sampling: options.sampling)
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        let limit = Int.random(in: 1...64, using: &random)
        if reader.drain(limit: limit, { checker.check($0) }) == 0 { reader.park(milliseconds: 1) }
        if isOver.value > 0 { break }
      }
      reader.cancel()
      let account = reader.account(named: "guest")
      if !account.isBalanced || account.pending != 0 { faults.account.add(1) }
      faults.visits.add(1)
    }
  }
}
