// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonFakeHost
import Synchronization
import Testing

@testable import KemonPluginKit

@Suite(.serialized) struct ProcessMemoryTests {
  private struct Given: @unchecked Sendable {
    var fini: kemon_blob_fini?
    var context: UnsafeMutableRawPointer?
    /// One piece for each process, by its number.
    var pieces: [Int32: UnsafeMutableRawPointer] = [:]
    var bytes: UInt32 = 0
  }
  private static let given = Mutex(Given())
  nonisolated(unsafe) private static let table = permanent(
    kemon_ext_blob(
      size: UInt32(MemoryLayout<kemon_ext_blob>.size), reserved: 0,
      reserve: { _, bytes, count, fini, context, slot in
        guard count < 1000 else { return KEMON_E_FULL }
        let context = UInt(bitPattern: context)
        ProcessMemoryTests.given.withLock {
          $0 = Given(
            fini: fini, context: UnsafeMutableRawPointer(bitPattern: context), bytes: bytes)
        }
        slot?.pointee = 4
        return KEMON_OK
      },
      get: { _, slot, event in
        guard slot == 4, let pid = event?.pointee.subject.pid, pid != 99 else { return nil }
        return ProcessMemoryTests.given.withLock { given in
          if let known = given.pieces[pid] { return known }
          let new = UnsafeMutableRawPointer.allocate(
            byteCount: Int(given.bytes), alignment: 16)
          new.initializeMemory(as: UInt8.self, repeating: 0, count: Int(given.bytes))
          given.pieces[pid] = new
          return new
        }
      }))

  /// The host takes the memory of a process back.
  private static func end(_ pid: Int32) {
    given.withLock { given in
      guard let piece = given.pieces.removeValue(forKey: pid) else { return }
      given.fini?(given.context, piece)
      piece.deallocate()
    }
  }

  private struct Tally: ~Copyable, Sendable {
    static let alive = Atomic<Int>(0)
    let count = Atomic<Int>(100)
    let seen = Mutex<[String]>([])

    init() { Self.alive.add(1, ordering: .relaxed) }
    deinit { Self.alive.subtract(1, ordering: .relaxed) }
  }

  private let fake = FakeHost()
  private let memory: ProcessMemory

  init() throws {
    fake.tables[KEMON_EXT_BLOB] = Self.table
    memory = try #require(Host(fake.table).memory)
    Tally.alive.store(0, ordering: .relaxed)
  }

  @Test func `each process has a value, which is made once and ends once`() throws {
    let ended = Mutex<[Int]>([])
    let slot = try memory.reserve(
      upTo: 8,
      atEnd: { tally in
        let count = tally.count.load(ordering: .relaxed)
        ended.withLock { $0.append(count) }
      }
    ) { Tally() }
    func add(_ pid: Int32) -> Int? {
      let event = opening(pid: pid)
      defer { withExtendedLifetime(event) {} }
      return slot.with(event.view) { tally in
        tally.seen.withLock { $0.append("again") }
        return tally.count.add(1, ordering: .relaxed).newValue
      }
    }
    #expect(add(1) == 101)
    #expect(add(1) == 102)
    #expect(add(2) == 101)
    #expect(Tally.alive.load(ordering: .relaxed) == 2)
    #expect(add(99) == nil, "the host has no memory")
    Self.end(1)
    #expect(ended.withLock { $0 } == [102])
    #expect(add(1) == 101, "another process with its number")
    Self.end(1)
    Self.end(2)
    #expect(ended.withLock { $0 } == [102, 101, 101])
    #expect(Tally.alive.load(ordering: .relaxed) == 0)
  }

  @Test func `a piece that nobody has got ready holds no value`() throws {
    _ = try memory.reserve(upTo: 8, atEnd: { _ in Issue.record("there is no value") }) { Tally() }
    let event = opening(pid: 3)
    _ = Self.table.assumingMemoryBound(to: kemon_ext_blob.self).pointee
      .get(fake.table, 4, event.view.event)
    withExtendedLifetime(event) {}
    Self.end(3)
    #expect(Tally.alive.load(ordering: .relaxed) == 0)
  }

  @Test func `many threads that come first get the same value`() throws {
    let made = Atomic<Int>(0)
    let slot = try memory.reserve(upTo: 8) { () -> Tally in
      made.add(1, ordering: .relaxed)
      return Tally()
    }
    for pid in Int32(10)..<60 {
      let threads = (0..<3).map { number in
        WorkerThread(named: "adds \(number)") {
          let event = opening(pid: pid)
          _ = slot.with(event.view) { $0.count.add(1, ordering: .relaxed).newValue }
          withExtendedLifetime(event) {}
        }
      }
      for thread in threads { thread.join() }
      let event = opening(pid: pid)
      let sum = slot.with(event.view) { $0.count.load(ordering: .relaxed) }
      withExtendedLifetime(event) {}
      #expect(sum == 103)
      Self.end(pid)
    }
    #expect(made.load(ordering: .relaxed) == 50)
  }

  @Test func `what the host refuses is thrown`() {
    let error = #expect(throws: HostRefusal.self) {
      _ = try memory.reserve(upTo: 1000) { Tally() }
    }
    #expect(error?.status == KEMON_E_FULL)
    let poor = FakeHost()
    #expect(Host(poor.table).memory == nil)
    withExtendedLifetime(poor) {}
  }
}
