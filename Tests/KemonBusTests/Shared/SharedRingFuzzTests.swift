// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Testing

/// The other side writes random bytes all over the file.
@Suite(.serialized) struct SharedRingFuzzTests {
  /// A mapping of its own that scribbles over everything, words at places that matter first.
  private func scribble(_ ring: SharedRing, until isDone: Counter) -> WorkerThread {
    let descriptor = ring.descriptor
    return WorkerThread(named: "scribbler") {
      var status = stat()
      fstat(descriptor, &status)
      let size = Int(status.st_size)
      guard let map = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) else {
        return
      }
      var random = SplitMix64(seed: 99)
      while isDone.value == 0 {
        for _ in 0..<200 {
          let limit = [1024, 8704, size, 16_384].randomElement(using: &random) ?? size
          var offset = Int(random.next() % UInt64(min(limit, size) / 8)) * 8
          // Small and large numbers, noise, and stamps that are nearly or wholly right.
          let sequence = map.load(fromByteOffset: 520, as: UInt64.self) &+ random.next() % 3
          var value =
            [0, 1, 3, .max, random.next(), random.next() % 300].randomElement(
              using: &random) ?? 0
          if random.next() % 4 == 0 {
            offset = 8704 + Int(sequence % 64) * 128
            value = (sequence &+ 1) << 24 | (random.next() % 4) << 22 | random.next() % (1 << 22)
            if random.next() % 2 == 0 { value = value & ~0x3FFFFF | random.next() % 5000 }
          }
          map.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
        }
        sched_yield()
      }
      munmap(map, size)
    }
  }

  private static let configuration = RingConfiguration(
    slots: 64, slotBytes: 128, recordLimit: 5000)

  @Test func `a reader believes nothing that a wild producer writes`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .reader)
    let reader = SharedReader(ring)
    let isDone = Counter()
    let scribbler = scribble(ring, until: isDone)
    let end = EventClock.monotonic() + UInt64(Stress.seconds * 1e9)
    var (seen, valid, sizes) = (0, 0, 0)
    while EventClock.monotonic() < end {
      let taken = reader.drain { record in
        seen += 1
        if record.bytes.count > 5000 { sizes += 1 }
        // Every byte is touched, and nothing but a valid record is taken for one.
        _ = RingPeer.sum(record.bytes)
        if (try? RecordView(validating: record.bytes)) != nil { valid += 1 }
        return true
      }
      if taken == 0 {
        reader.wait(milliseconds: 1)
        if seen % 3 == 0 { reader.passDeadProducer() }
      }
    }
    isDone.add(1)
    scribbler.join()
    #expect(seen > 10, "the scribbler's stamps are sometimes right")
    #expect(sizes == 0)
    #expect(reader.account(named: "r").isBalanced)
  }

  @Test func `a producer goes on, refuses or times out, whatever a wild reader writes`() throws {
    let ring = try SharedRing(creating: Self.configuration, role: .producer)
    let isDone = Counter()
    let scribbler = scribble(ring, until: isDone)
    let end = EventClock.monotonic() + UInt64(Stress.seconds * 1e9)
    let bytes = [UInt8](repeating: 7, count: 2000)
    var (published, full, answers, silent) = (0, 0, 0, 0)
    while EventClock.monotonic() < end {
      for size in [16, 100, 2000] {
        let part = bytes[..<size]
        try part.withUnsafeBytes { bytes in
          if try ring.ring.tryPublish(bytes) != nil { published += 1 } else { full += 1 }
          guard let sequence = try ring.ring.tryRequest(bytes) else { return }
          let deadline = EventClock.monotonic() + 50_000
          if ring.ring.answer(to: sequence, spins: 20, deadline: deadline) != nil {
            answers += 1
          } else {
            silent += 1
          }
        }
      }
      if full > 100 { ring.replacePeer() }
    }
    isDone.add(1)
    scribbler.join()
    #expect(published > 0 && silent > 0)
    #expect(ring.ring.published == UInt64(published + answers + silent), "its own count is its own")
  }

  @Test func `a file of noise is not attached to`() throws {
    var random = SplitMix64(seed: 4)
    for _ in 0..<300 {
      let ring = try SharedRing(
        creating: RingConfiguration(slots: 4, slotBytes: 64, recordLimit: 48), role: .producer)
      let map = try #require(
        mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring.descriptor, 0))
      for _ in 0..<3 {
        map.storeBytes(
          of: UInt8.random(in: 0...255, using: &random),
          toByteOffset: Int.random(in: 0..<56, using: &random), as: UInt8.self)
      }
      munmap(map, 4096)
      guard let attached = try? SharedRing(attaching: ring.descriptor) else { continue }
      // What is accepted is the very ring: only flags or the limit of records may differ.
      #expect(attached.ring.slotCount == 4)
      if attached.role == .reader { SharedReader(attached).drain { _ in true } }
    }
  }
}
