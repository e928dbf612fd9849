// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

/// Requests that are answered in place, both sides in this process.
@Suite struct SharedResponderTests {
  private static let configuration = RingConfiguration(
    slots: 8, slotBytes: 128, recordLimit: 20_000)

  /// A thread that adds up each request's bytes and writes the sum over its first eight.
  private final class Adder: Sendable {
    private let responder: SharedResponder
    private let isDone = Counter()
    private let thread: WorkerThread

    init(_ ring: SharedRing) throws {
      let responder = SharedResponder(try SharedRing(attaching: ring.descriptor))
      let isDone = isDone
      self.responder = responder
      thread = WorkerThread(named: "adder") {
        while isDone.value == 0 || !responder.isDrained {
          let taken = responder.serve { bytes in
            let sum = bytes.reduce(UInt64(0)) { $0 &+ UInt64($1) }
            bytes.storeBytes(of: sum, as: UInt64.self)
            return 7
          }
          if taken == 0 { responder.wait(milliseconds: 50) }
        }
      }
    }

    func finish() {
      isDone.add(1)
      responder.wake()
      thread.join()
    }
  }

  private static func ask(_ ring: ByteRing, _ size: Int, seed: Int) throws -> Bool {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* seed) }
    let wanted = bytes.reduce(UInt64(0)) { $0 &+ UInt64($1) }
    var sequence: UInt64?
    while sequence == nil {
      sequence = try ring.tryRequest(byteCount: size) { place in
        bytes.withUnsafeBytes {
          if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: size) }
        }
      }
      if sequence == nil { sched_yield() }
    }
    guard let sequence else { return false }
    let deadline = EventClock.monotonic() + 10_000_000_000
    let got = ring.answer(to: sequence, byteCount: size, EagerWait(), deadline: deadline) {
      value, place in value == 7 ? place.load(as: UInt64.self) : 0
    }
    return got == wanted
  }

  @Test func `an answer of any size comes back in the place of its question`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    let adder = try Adder(ring)
    for turn in 1...2000 {
      // In the slot, and in its block.
      let size = turn % 10 == 0 ? 15_000 : 8 + turn % 100
      #expect(try Self.ask(ring.ring, size, seed: turn))
    }
    adder.finish()
    #expect(ring.ring.released == 2000)
  }

  @Test func `threads that ask at the same time get their own answers`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    let adder = try Adder(ring)
    let wrong = Counter()
    let threads = (1...4).map { number in
      WorkerThread(named: "asker") {
        for turn in 1...1000
        where (try? Self.ask(ring.ring, 8 + turn % 90, seed: number * turn)) != true {
          wrong.add(1)
        }
      }
    }
    for thread in threads { thread.join() }
    adder.finish()
    #expect(wrong.value == 0)
  }

  @Test func `what is not answered in time is refused later, and the slot goes on`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    let responder = SharedResponder(try SharedRing(attaching: ring.descriptor))
    for turn in 0..<50 {
      let sequence = try #require(
        try ring.ring.tryRequest(byteCount: 8) { $0.storeBytes(of: 1, as: UInt64.self) })
      let isLate = turn % 3 == 0
      let serve = {
        responder.serve { bytes in
          bytes.storeBytes(of: UInt64(turn), as: UInt64.self)
          return 1
        }
      }
      if !isLate { #expect(serve() == 1) }
      let answer = ring.ring.answer(
        to: sequence, byteCount: 8, EagerWait(),
        deadline: EventClock.monotonic() + (isLate ? 0 : 1_000_000_000)
      ) { _, place in place.load(as: UInt64.self) }
      #expect(answer == (isLate ? nil : UInt64(turn)))
      if isLate {
        #expect(ring.ring.record(sequence) != nil, "still in its place")
        #expect(serve() == 1)
      }
    }
  }

  @Test func `a full ring takes no question`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    for _ in 0..<8 { #expect(try ring.ring.tryRequest(byteCount: 8) { _ in } != nil) }
    #expect(try ring.ring.tryRequest(byteCount: 8) { _ in } == nil)
    #expect(throws: RingError.self) { try ring.ring.tryRequest(byteCount: 30_000) { _ in } }
  }
}
