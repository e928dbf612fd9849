// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

@Suite struct ByteRingTests {
  static let tiny = RingConfiguration(slots: 8, slotBytes: 64, recordLimit: 9000)

  @discardableResult
  private func publish(_ ring: ByteRing, _ number: UInt64) throws -> UInt64 {
    try withUnsafeBytes(of: number) { try ring.publish($0) }
  }

  private func numbers(_ reader: RingReader, limit: Int = 64) -> [UInt64] {
    var numbers: [UInt64] = []
    reader.drain(limit: limit) { record in
      numbers.append(record.bytes.load(as: UInt64.self))
      return true
    }
    return numbers
  }

  /// Every size around the borders of words, of the slot and of pages; read in place and copied.
  @Test(arguments: [ProducerMode.one, .many], [OverflowPolicy.block, .drop])
  func `bytes of every size come through whole`(
    producers: ProducerMode, overflow: OverflowPolicy
  ) throws {
    var configuration = Self.tiny
    configuration.producers = producers
    let ring = try ByteRing(configuration)
    let reader = try ring.subscribe(ReaderOptions(overflow: overflow))
    for size in [0, 1, 7, 8, 9, 15, 16, 47, 48, 49, 64, 1000, 4095, 4096, 4097, 9000] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ size) }
      try bytes.withUnsafeBytes { _ = try ring.publish($0) }
      var seen: [UInt8]?
      reader.drain { record in
        seen = Array(record.bytes)
        return true
      }
      #expect(seen == bytes)
    }
  }

  @Test func `a record that is too large is refused, counted, and lost to everyone`() throws {
    let ring = try ByteRing(Self.tiny)
    let reader = try ring.subscribe()
    let error = #expect(throws: RingError.self) {
      try [UInt8](repeating: 1, count: 9001).withUnsafeBytes { try ring.publish($0) }
    }
    #expect(error?.code == .recordTooLarge)
    try publish(ring, 1)
    #expect(numbers(reader) == [1])
    let account = reader.account(named: "r")
    #expect(account.produced == 2 && account.losses.refused == 1 && account.isBalanced)
  }

  @Test(
    arguments: [
      RingConfiguration(slots: 0), RingConfiguration(slots: 1 << 30),
      RingConfiguration(slotBytes: 8), RingConfiguration(recordLimit: 0),
      RingConfiguration(recordLimit: 1 << 22), RingConfiguration(slots: -5),
    ])
  func `impossible measures are refused`(configuration: RingConfiguration) {
    let error = #expect(throws: RingError.self) { try ByteRing(configuration) }
    #expect(error?.code == .badConfiguration)
  }

  @Test(arguments: [ProducerMode.one, .many])
  func `trying never claims what it cannot publish`(producers: ProducerMode) throws {
    var configuration = Self.tiny
    configuration.producers = producers
    let ring = try ByteRing(configuration)
    let reader = try ring.subscribe()
    func attempt(_ number: UInt64) throws -> UInt64? {
      try withUnsafeBytes(of: number) { try ring.tryPublish($0) }
    }
    for number in 0..<UInt64(8) { #expect(try attempt(number) == number) }
    #expect(try attempt(8) == nil)
    #expect(ring.published == 8 && ring.refused == 1)
    #expect(numbers(reader, limit: 2) == [0, 1])
    #expect(try attempt(9) == 8)
    #expect(numbers(reader) == [2, 3, 4, 5, 6, 7, 9])
  }

  @Test func `who samples sees one in so many, and the account says so`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 64, slotBytes: 64, recordLimit: 48))
    try publish(ring, 0)
    let reader = try ring.subscribe(ReaderOptions(overflow: .block, sampling: 5))
    for number in 1..<UInt64(40) { try publish(ring, number) }
    #expect(numbers(reader) == [5, 10, 15, 20, 25, 30, 35])
    for number in 40..<UInt64(48) { try publish(ring, number) }
    reader.cancel()
    let account = reader.account(named: "r")
    #expect(account.produced == 47 && account.delivered == 7)
    #expect(account.losses.unread == 2, "40 and 45")
    #expect(account.sampledOut == 38 && account.muted == 38 && account.isBalanced)
  }

  @Test func `a sampling reader that is lapped balances its account, too`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 16, slotBytes: 64, recordLimit: 48))
    let reader = try ring.subscribe(ReaderOptions(overflow: .drop, sampling: 3))
    for number in 0..<UInt64(100) { try publish(ring, number) }
    let seen = numbers(reader)
    #expect(seen.allSatisfy { $0 % 3 == 0 } && seen.last == 99)
    reader.cancel()
    let account = reader.account(named: "r")
    #expect(account.delivered == UInt64(seen.count) && account.isBalanced && account.pending == 0)
    #expect(account.losses.overwritten + account.delivered == 34)
  }

  @Test func `a reader that stands still for too long is evicted and counted`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 8, slotBytes: 64, recordLimit: 48))
    let stuck = try ring.subscribe(ReaderOptions(overflow: .block, patience: .milliseconds(30)))
    let start = EventClock.monotonic()
    for number in 0..<UInt64(20) { try publish(ring, number) }
    #expect(EventClock.monotonic() - start >= 30_000_000)
    #expect(stuck.isEvicted)
    #expect(numbers(stuck) == [])
    stuck.cancel()
    let account = stuck.account(named: "s")
    #expect(account.losses.evicted == 20 && account.isBalanced)
    // Its place can be used again.
    let next = try ring.subscribe()
    try publish(ring, 77)
    #expect(numbers(next) == [77])
  }

  @Test func `a slow reader that moves is not evicted`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 8, slotBytes: 64, recordLimit: 48))
    let slow = try ring.subscribe(ReaderOptions(overflow: .block, patience: .milliseconds(200)))
    let sum = Counter()
    let thread = WorkerThread(named: "slow") {
      while sum.value < 40 {
        slow.drain(limit: 1) { _ in
          sum.add(1)
          return true
        }
        usleep(10_000)
      }
    }
    for number in 0..<UInt64(40) { try publish(ring, number) }
    thread.join()
    #expect(!slow.isEvicted)
    #expect(slow.account(named: "s").delivered == 40)
  }

  @Test func `the policy exit says so when something is lost`() throws {
    let ring = try ByteRing(RingConfiguration(slots: 8, slotBytes: 64, recordLimit: 48))
    let reader = try ring.subscribe(ReaderOptions(overflow: .exit))
    for number in 0..<UInt64(8) { try publish(ring, number) }
    _ = numbers(reader)
    #expect(!ring.hasOverflowed)
    for number in 0..<UInt64(30) { try publish(ring, number) }
    #expect(ring.hasOverflowed, "the producers notice, though the reader does not move")
  }

  @Test func `no more than sixty-four join`() throws {
    let ring = try ByteRing(Self.tiny)
    let readers = try (0..<64).map { _ in try ring.subscribe() }
    let error = #expect(throws: RingError.self) { try ring.subscribe() }
    #expect(error?.code == .tooManySubscribers)
    readers[10].cancel()
    #expect(throws: Never.self) { try ring.subscribe() }
    withExtendedLifetime(readers) {}
  }

  @Test(arguments: [0, 1, 2])
  func `every way of waiting sees what is published`(strategy: Int) throws {
    let ring = try ByteRing(Self.tiny)
    let reader = try ring.subscribe()
    let seen = Counter()
    let thread = WorkerThread(named: "waiter") {
      func run(_ wait: consuming some WaitStrategy) {
        var wait = wait
        while seen.value < 100 {
          let taken = reader.drain { _ in true }
          seen.add(taken)
          if taken == 0 { wait.wait(for: reader) } else { wait.reset() }
        }
      }
      switch strategy {
      case 0: run(WaitSpinning())
      case 1: run(WaitYielding(spins: 10))
      default: run(WaitParking(spins: 10, milliseconds: 5000))
      }
    }
    for number in 0..<UInt64(100) {
      if number % 10 == 0 { usleep(2000) }
      try publish(ring, number)
    }
    thread.join()
    #expect(seen.value == 100)
  }

  /// In a slot, in its block, over one line and over several; behind a stamp alone, and behind stamp and answer.
  @Test(arguments: [true, false], [OverflowPolicy.block, .drop])
  func `every size arrives whole`(hasAnswers: Bool, overflow: OverflowPolicy) throws {
    let ring = try ByteRing(
      RingConfiguration(slots: 4, slotBytes: 256, recordLimit: 600, hasAnswers: hasAnswers))
    let reader = try ring.subscribe(ReaderOptions(overflow: overflow))
    var random = SplitMix64(seed: 31)
    for size in 0...600 {
      let sent = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
      try sent.withUnsafeBytes { _ = try ring.publish($0) }
      var got: [UInt8]?
      reader.drain { record in
        got = Array(record.bytes)
        #expect(!reader.answer(record.sequence, with: 1), "none is wanted")
        return true
      }
      #expect(got == sent, "\(size) bytes")
    }
  }

  @Test func `answers come back through the slot in batches`() throws {
    let ring = try ByteRing(
      RingConfiguration(slots: 64, slotBytes: 64, recordLimit: 48, hasAnswers: true))
    let reader = try ring.subscribe()
    let isDone = Counter()
    let thread = WorkerThread(named: "answers") {
      while isDone.value == 0 {
        reader.drain { record in
          reader.answer(record.sequence, with: UInt32(record.bytes.load(as: UInt64.self) * 3))
        }
      }
    }
    for round in 0..<UInt64(200) {
      let sequences = try (0..<32).map { number in
        try withUnsafeBytes(of: round + number) { bytes in
          // The reader answers first and makes room at the end of its batch.
          while true {
            if let sequence = try ring.tryRequest(bytes) { return sequence }
            sched_yield()
          }
        }
      }
      for (number, sequence) in sequences.enumerated() {
        let deadline = EventClock.monotonic() + 5_000_000_000
        #expect(
          ring.answer(to: sequence, deadline: deadline) == UInt32((round + UInt64(number)) * 3))
      }
    }
    isDone.add(1)
    thread.join()
  }
}
