// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
public import KemonEvents
internal import Synchronization

/// Events that plugins emit: of kinds that are declared at run time, for observers only.
///
/// An event that leads to another one, which leads to another one, ends somewhere: each knows how long its chain is.
public final class Emissions: Sendable {
  /// The longest chain of events that led to each other.
  public static let depthLimit = Int(KEMON_EV_DEPTH_LIMIT)

  private let ring: EventRing
  /// The declared kinds that somebody emits at present, by their place.
  private let made = Atomic<UInt64>(0)

  init(ring: EventRing) { self.ring = ring }

  /// Says whether a kind is emitted by somebody who is here: then its recorded events are not played again.
  public func setMade(_ kind: EventKind, _ isMade: Bool) {
    precondition(kind.isDeclared, "kind \(kind.rawValue) is not a declared one")
    let bit = UInt64(1) << UInt64(kind.declaredIndex)
    if isMade {
      made.bitwiseOr(bit, ordering: .relaxed)
    } else {
      made.bitwiseAnd(~bit, ordering: .relaxed)
    }
  }

  /// Whether somebody emits events of a kind anew.
  public func isMade(_ kind: EventKind) -> Bool {
    guard kind.isDeclared else { return false }
    return made.load(ordering: .relaxed) >> UInt64(kind.declaredIndex) & 1 != 0
  }

  /// Notes that the calling thread begins to handle a record: what it emits until the next one is caused by it.
  static func begin(_ record: RecordView) { ckemon_thread_set_depth(UInt32(depth(of: record))) }

  /// The length of the chain of synthetic events that a record ends.
  static func depth(of record: RecordView) -> Int {
    let flags = Int(record.event.pointee.flags)
    return flags & Int(KEMON_EV_SYNTHETIC) == 0 ? 0 : flags >> Int(KEMON_EV_DEPTH_SHIFT)
  }

  /// How long the chain of an event would be that the calling thread emits now.
  ///
  /// - Parameter about: what the event is about, if anything.
  public static func nextDepth(about: RecordView?) -> Int {
    max(Int(ckemon_thread_depth()), about.map { depth(of: $0) } ?? 0) + 1
  }

  /// Publishes an event.
  ///
  /// - Parameters:
  ///   - builder: holds a record with its payload; flagged and sealed here.
  ///   - depth: what ``nextDepth(about:)`` said.
  ///   - mayWait: wait for blocking subscribers, as producers do; not on a thread that one of them waits for.
  /// - Returns: false when there was no room, which the ring counts.
  public func emit(_ builder: inout RecordBuilder, depth: Int, mayWait: Bool) -> Bool {
    precondition((1...Self.depthLimit).contains(depth), "a chain of \(depth) events")
    builder.header.pointee.flags |=
      UInt16(KEMON_EV_SYNTHETIC) | UInt16(depth << Int(KEMON_EV_DEPTH_SHIFT))
    builder.seal()
    return mayWait ? ring.publish(&builder) : ring.tryPublish(&builder)
  }
}
