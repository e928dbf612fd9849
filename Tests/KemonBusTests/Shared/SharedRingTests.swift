// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Testing

/// Both sides in one process, each with a mapping of its own.
@Suite struct SharedRingTests {
  static let small = RingConfiguration(slots: 8, slotBytes: 128, recordLimit: 10_000)

  private func pair(_ configuration: RingConfiguration = small, creator: SharedRing.Role) throws
    -> (producer: SharedRing, reader: SharedRing)
  {
    let made = try SharedRing(creating: configuration, role: creator)
    let attached = try SharedRing(attaching: made.descriptor)
    #expect(attached.role != made.role)
    return creator == .producer ? (made, attached) : (attached, made)
  }

  @Test(arguments: [SharedRing.Role.producer, .reader])
  func `records of every size come through whole and in order`(creator: SharedRing.Role) throws {
    let (producer, far) = try pair(creator: creator)
    let reader = SharedReader(far)
    for size in [0, 1, 7, 8, 100, 112, 113, 4000, 10_000] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ size) }
      let sequence = try bytes.withUnsafeBytes { try producer.ring.tryPublish($0) }
      var seen: [UInt8]?
      let taken = reader.drain { record in
        #expect(record.sequence == sequence)
        seen = Array(record.bytes)
        return true
      }
      #expect(taken == 1)
      #expect(seen == bytes)
    }
    let account = reader.account(named: "r")
    #expect(account.produced == 9 && account.delivered == 9 && account.isBalanced)
  }

  @Test func `a full ring refuses and counts, and goes on when the reader does`() throws {
    let (producer, far) = try pair(creator: .producer)
    let reader = SharedReader(far)
    let bytes: [UInt8] = [1, 2, 3]
    func publish() throws -> UInt64? {
      try bytes.withUnsafeBytes { try producer.ring.tryPublish($0) }
    }
    for _ in 0..<8 { #expect(try publish() != nil) }
    #expect(try publish() == nil)
    #expect(producer.ring.refused == 1)
    #expect(reader.drain(limit: 3) { _ in true } == 3)
    for _ in 0..<3 { #expect(try publish() != nil) }
    #expect(try publish() == nil)
  }

  @Test func `an answer comes back through the slot, once`() throws {
    let (producer, far) = try pair(creator: .producer)
    let reader = SharedReader(far)
    let bytes: [UInt8] = [1, 2, 3]
    for turn in 0..<20 {
      let sequence = try #require(try bytes.withUnsafeBytes { try producer.ring.tryRequest($0) })
      reader.drain { record in
        #expect(reader.answer(record.sequence, with: UInt32(turn)))
        #expect(!reader.answer(record.sequence, with: 99), "answered already")
        return true
      }
      #expect(producer.ring.answer(to: sequence, deadline: 0) == UInt32(turn))
    }
  }

  @Test func `a late answer is refused, and the slot can be used again`() throws {
    let (producer, far) = try pair(creator: .producer)
    let reader = SharedReader(far)
    let bytes: [UInt8] = [1]
    for _ in 0..<10 {
      let sequence = try #require(try bytes.withUnsafeBytes { try producer.ring.tryRequest($0) })
      let start = EventClock.monotonic()
      let answer = producer.ring.answer(to: sequence, spins: 10, deadline: start + 2_000_000)
      #expect(answer == nil)
      #expect(EventClock.monotonic() - start >= 2_000_000)
      reader.drain { record in
        #expect(!reader.answer(record.sequence, with: 1))
        return true
      }
    }
  }

  @Test func `an unanswered request keeps its slot from other requests`() throws {
    let (producer, far) = try pair(creator: .producer)
    let reader = SharedReader(far)
    let bytes: [UInt8] = [1]
    var sequences: [UInt64] = []
    for _ in 0..<8 {
      sequences.append(try #require(try bytes.withUnsafeBytes { try producer.ring.tryRequest($0) }))
    }
    reader.drain { reader.answer($0.sequence, with: UInt32($0.sequence)) }
    #expect(try bytes.withUnsafeBytes { try producer.ring.tryRequest($0) } == nil)
    for sequence in sequences {
      #expect(producer.ring.answer(to: sequence, deadline: 0) == UInt32(sequence))
    }
    #expect(try bytes.withUnsafeBytes { try producer.ring.tryRequest($0) } == 8)
  }

  @Test func `a reader sleeps until the other side publishes`() throws {
    let (producer, far) = try pair(creator: .producer)
    let reader = SharedReader(far)
    let seen = Counter()
    let thread = WorkerThread(named: "reader") {
      for _ in 0..<1000 where seen.value == 0 {
        seen.add(reader.drain { _ in true })
        if seen.value == 0 { reader.wait(milliseconds: 5000) }
      }
    }
    usleep(50_000)
    let start = EventClock.monotonic()
    _ = try [UInt8](repeating: 1, count: 16).withUnsafeBytes { try producer.ring.tryPublish($0) }
    thread.join()
    #expect(seen.value == 1)
    #expect(EventClock.monotonic() - start < 2_000_000_000)
  }

  @Test func `a record that is too large is refused`() throws {
    let (producer, _) = try pair(creator: .producer)
    let error = #expect(throws: RingError.self) {
      try [UInt8](repeating: 0, count: 20_000).withUnsafeBytes { try producer.ring.tryPublish($0) }
    }
    #expect(error?.code == .recordTooLarge)
    #expect(producer.ring.published == 0 && producer.ring.refused == 1)
  }

  // MARK: What is not a ring

  @Test func `a file whose size can change is refused`() throws {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    ftruncate(fileno(file), 1 << 20)
    let error = #expect(throws: RingError.self) { try SharedRing(attaching: fileno(file)) }
    #expect(error?.code == .notSealed)
    #expect(throws: RingError.self) { try SharedRing(attaching: -1) }
  }

  /// Offset of the header's field, and a value that is wrong there.
  @Test(
    arguments: [
      (0, 0x1234), (8, 77), (16, 3), (16, 1 << 40), (16, 16), (24, 24), (24, 1 << 20), (24, 0),
      (32, 0), (32, 1 << 30), (40, 0), (40, 1 << 50), (48, 4096), (48, -1),
    ] as [(Int, Int)])
  func `a header with an impossible field is refused`(offset: Int, value: Int) throws {
    let made = try SharedRing(creating: Self.small, role: .producer)
    let map = try #require(
      mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, made.descriptor, 0))
    defer { munmap(map, 4096) }
    if offset == 8 {
      map.storeBytes(of: UInt32(value), toByteOffset: offset, as: UInt32.self)
    } else {
      map.storeBytes(of: value, toByteOffset: offset, as: Int.self)
    }
    let error = #expect(throws: RingError.self) { try SharedRing(attaching: made.descriptor) }
    #expect(error?.code == .notARing)
    #expect(error?.message.hasPrefix("byte ") == true, "\(error?.message ?? "")")
  }
}
