// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

// Unchecked: all words are atomics in raw memory; writers are serialised by a lock.
/// Lets a writer wait until every reader that was inside has left, while new readers come and go.
///
/// Readers count themselves in and out in one of two banks of counters; the writer turns new readers to the other
/// bank and waits for the old one to become empty, twice, so that a reader which was about to count itself in when
/// the bank was turned is waited for as well. Counters are spread over cache lines by thread.
final class Quiescence: @unchecked Sendable {
  private static let shards = 32
  private let counters: UnsafeMutableRawPointer
  private let bank = Atomic<Int>(0)
  private let writer = Mutex<Void>(())

  init() {
    let bytes = 2 * Self.shards * RingLayout.line
    counters = .allocate(byteCount: bytes, alignment: RingLayout.line)
    counters.initializeMemory(as: UInt64.self, repeating: 0, count: bytes / 8)
  }

  deinit { counters.deallocate() }

  private func counter(_ bank: Int, _ shard: Int) -> RingWord {
    (counters + (bank * Self.shards + shard) * RingLayout.line)
      .assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Enters; what was published before stays valid until ``leave(_:)``.
  @inline(__always)
  func enter() -> Int {
    let shard = Int(ckemon_thread_number()) & (Self.shards - 1)
    let bank = bank.load(ordering: .relaxed)
    counter(bank, shard).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    return bank * Self.shards + shard
  }

  /// Leaves with the ticket that ``enter()`` gave.
  @inline(__always)
  func leave(_ ticket: Int) {
    counter(ticket / Self.shards, ticket % Self.shards).pointee
      .wrappingSubtract(1, ordering: .releasing)
  }

  /// Returns when every reader that was inside at the time of the call has left.
  ///
  /// Not from inside a reader.
  func waitForReaders() {
    writer.withLock { _ in
      for _ in 0..<2 {
        let old = bank.load(ordering: .relaxed)
        bank.store(1 - old, ordering: .sequentiallyConsistent)
        while !isEmpty(old) { usleep(20) }
      }
    }
  }

  private func isEmpty(_ bank: Int) -> Bool {
    (0..<Self.shards).allSatisfy {
      counter(bank, $0).pointee.load(ordering: .sequentiallyConsistent) == 0
    }
  }
}
