// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization

/// A lane through a shared ring: the event is written into a slot, the verdict comes back in it.
final class RingLane: WorkerLane {
  /// Questions that can wait at a time.
  static let slots = 64
  static let recordLimit = (256 << 10) + 4096
  /// Bytes in front of the event.
  static let head = MemoryLayout<kemon_worker_request>.size + MemoryLayout<kemon_verdict>.size
  private let eager = EagerWait()

  let shared: SharedRing

  init() throws(RingError) {
    shared = try SharedRing(
      creating: RingConfiguration(
        slots: Self.slots, slotBytes: 1024, recordLimit: Self.recordLimit),
      role: .producer)
  }

  var next: UInt64 { shared.ring.released }

  func hasFinished(_ number: UInt64) -> Bool { shared.ring.released > number }

  var activity: WorkerActivity? {
    shared.ring.record(shared.ring.released).flatMap { WorkerActivity($0) }
  }

  func ask(
    _ handler: UInt32, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>, deadline: UInt64
  ) -> WorkerReply {
    let ring = shared.ring
    let size = Self.head + Int(event.pointee.size)
    let sequence: UInt64?
    do throws(RingError) {
      sequence = try ring.tryRequest(byteCount: size) { place in
        place.storeBytes(
          of: kemon_worker_request(size: UInt32(Self.head), handler: handler, number: 0),
          as: kemon_worker_request.self)
        (place + Int(KEMON_WORKER_VERDICT)).copyMemory(
          from: verdict, byteCount: MemoryLayout<kemon_verdict>.size)
        (place + Self.head).copyMemory(from: event, byteCount: size - Self.head)
      }
    } catch {
      // Larger than any record of the bus.
      return .answered(KEMON_E_INVALID)
    }
    guard let sequence else { return shared.peerHasEnded ? .absent : .noTurn }
    let reply = ring.answer(to: sequence, byteCount: size, eager, deadline: deadline) {
      value, place in
      switch value {
      case KEMON_WORKER_BLANK: return KEMON_OK
      case KEMON_WORKER_WRITTEN:
        verdict.take(
          place.load(fromByteOffset: Int(KEMON_WORKER_VERDICT), as: kemon_verdict.self))
        return KEMON_OK
      default: return KEMON_E_FAILED
      }
    }
    if let reply { return .answered(reply) }
    // It takes one after the other, and says which one it has begun.
    let isBegun = ring.released == sequence && activity != nil
    guard shared.peerHasEnded else { return isBegun ? .timedOut(sequence) : .noTurn }
    return isBegun ? .died : .absent
  }
}

/// A feed through a shared ring.
final class RingFeed: WorkerFeed {
  static let slots = 1024

  let shared: SharedRing

  init() throws(RingError) {
    shared = try SharedRing(
      creating: RingConfiguration(
        slots: Self.slots, slotBytes: 512, recordLimit: RingLane.recordLimit, producers: .one),
      role: .producer)
  }

  private let sent = PosixLock(SentEvents())

  var pending: UInt64 {
    sent.withLock { sent in
      sent.take(upTo: shared.ring.released)
      return sent.pending
    }
  }

  var taken: UInt64 {
    sent.withLock { sent in
      sent.take(upTo: shared.ring.released)
      return sent.taken
    }
  }

  func close() -> SentEvents.Rest {
    sent.withLock { sent in
      sent.isClosed = true
      sent.take(upTo: shared.ring.released)
      return sent.rest
    }
  }

  func send(_ handler: UInt32, _ event: UnsafePointer<kemon_event>) -> Bool {
    let head = MemoryLayout<kemon_worker_request>.size
    let size = Int(event.pointee.size)
    return sent.withLock { sent in
      guard !sent.isClosed else { return false }
      let isSent = try? shared.ring.tryPublish(byteCount: head + size) { place in
        place.storeBytes(
          of: kemon_worker_request(size: UInt32(head), handler: handler, number: 0),
          as: kemon_worker_request.self)
        (place + head).copyMemory(from: event, byteCount: size)
      }
      guard isSent ?? false else { return false }
      sent.take(upTo: shared.ring.released)
      sent.add(event.pointee.seq)
      return true
    }
  }
}
