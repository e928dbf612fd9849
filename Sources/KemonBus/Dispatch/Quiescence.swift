// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc
internal import Synchronization

// Unchecked: the words of seats are atomics in raw memory; writers are serialised by a lock.
/// Lets a writer wait until every reader that was inside has left, while new readers come and go.
///
/// Each thread has a seat of its own, whose first word is odd while it is inside. Entering and leaving are plain stores;
/// the fence between "I am inside" and "what do I see" is the writer's duty, who makes every running thread pass one
/// (`membarrier`). A thread that enters again while it is inside is inside until it leaves the first time.
///
/// The rest of a seat is for what its thread needs inside, see ``BallotBox``.
struct Quiescence: ~Copyable, @unchecked Sendable {
  /// Bytes of a seat.
  static let seatBytes = 256
  /// How many seats there are; the one behind the last counts the threads that have none of their own.
  static let seatCount = Int(CKEMON_THREAD_LIMIT)
  private static let bytes = (seatCount + 1) * seatBytes

  private let seats: UnsafeMutableRawPointer
  private let fencesItself: Bool
  private let writer = Mutex<Void>(())

  init() {
    // Pages of the kernel: only the seats of threads that come here ever exist.
    var error: Int32 = 0
    guard let memory = ckemon_map_private(Self.bytes, &error) else {
      preconditionFailure("no memory of \(Self.bytes) bytes: errno \(error)")
    }
    seats = memory
    fencesItself = ckemon_barrier_prepare() != 1
  }

  deinit { ckemon_unmap(seats, Self.bytes) }

  /// The seat of a thread.
  @inline(__always)
  func seat(_ number: Int) -> UnsafeMutableRawPointer { seats + (number &- 1) &* Self.seatBytes }

  @inline(__always)
  private func word(_ number: Int) -> RingWord {
    seat(number).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Whether a ticket is for a seat that nobody else uses until the thread leaves.
  @inline(__always)
  static func isSeat(_ ticket: Int) -> Bool { UInt(bitPattern: ticket &- 1) < UInt(seatCount) }

  /// Enters; what was published before stays valid until ``leave(_:)`` with the same number.
  ///
  /// - Parameter number: of the calling thread.
  /// - Returns: a ticket for leaving: the number, or 0 when the thread is inside already.
  @inline(__always)
  func enter(_ number: Int) -> Int {
    let word = word(number)
    guard Self.isSeat(number) else {
      word.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
      return number
    }
    let value = word.pointee.load(ordering: .relaxed)
    if value & 1 != 0 { return 0 }
    word.pointee.store(value &+ 1, ordering: .relaxed)
    if fencesItself { atomicMemoryFence(ordering: .sequentiallyConsistent) }
    ckemon_light_fence()
    return number
  }

  /// Leaves with the ticket that ``enter(_:)`` gave.
  @inline(__always)
  func leave(_ ticket: Int) {
    if ticket == 0 { return }
    if Self.isSeat(ticket) {
      leaveSeat(ticket)
    } else {
      word(ticket).pointee.wrappingSubtract(1, ordering: .releasing)
    }
  }

  /// Leaves a seat of one's own.
  @inline(__always)
  func leaveSeat(_ ticket: Int) {
    let word = word(ticket)
    word.pointee.store(word.pointee.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// Returns when every reader that was inside at the time of the call has left.
  ///
  /// Not from inside a reader.
  func waitForReaders() {
    writer.withLock { _ in
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if !fencesItself { ckemon_barrier_everywhere() }
      for number in 1...Self.seatCount {
        let word = word(number)
        let value = word.pointee.load(ordering: .acquiring)
        if value & 1 == 0 { continue }
        while word.pointee.load(ordering: .acquiring) == value { usleep(20) }
      }
      let crowd = word(Self.seatCount + 1)
      while crowd.pointee.load(ordering: .acquiring) != 0 { usleep(20) }
    }
  }
}
