// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

/// The handlers of one kind in the order of their calls.
///
/// One block of memory that never moves, so that whoever has its address has everything without another look:
///
/// ```
/// head │ a line for each thread that counts │ calls │ votes │ entries
/// ```
struct HandlerRow {
  private struct Head {
    let count: Int
    let kind: EventKind
    let answerLimit: Int
    let canDeny: Bool
    let isPlain: Bool
    let cache: CacheDeclaration?
  }

  private static let countersOffset = RingLayout.line
  private static let callsOffset = countersOffset + HandlerCounters.size

  let base: UnsafeMutableRawPointer

  /// Sorts entries by tier, priority and id.
  static func allocate(_ list: [HandlerEntry], of kind: EventKind) -> HandlerRow {
    let canDeny = kind.info?.canDeny ?? false
    // Who may change the event may have all asked again.
    let mayChange = canDeny && list.contains { !$0.modifiable.isEmpty }
    let size =
      callsOffset + list.count
      * (MemoryLayout<HandlerCall>.stride + MemoryLayout<kemon_vote>.stride
        + MemoryLayout<HandlerEntry>.stride)
    let row = HandlerRow(
      base: UnsafeMutableRawPointer.allocate(byteCount: size, alignment: RingLayout.line))
    row.base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    row.base.initializeMemory(
      as: Head.self,
      to: Head(
        count: list.count, kind: kind, answerLimit: mayChange ? 2 * list.count : list.count,
        canDeny: canDeny,
        isPlain: !canDeny && list.allSatisfy { $0.filter == nil && $0.mutes == nil },
        cache: canDeny ? CacheDeclaration.union(of: list) : nil))
    let sorted = list.sorted {
      ($0.tier.rawValue, $0.priority, $0.handlerID) < ($1.tier.rawValue, $1.priority, $1.handlerID)
    }
    for (index, entry) in sorted.enumerated() {
      (row.entries + index).initialize(to: entry)
      (row.calls + index).initialize(
        to: HandlerCall(
          function: entry.function, context: entry.context, owner: entry.owner))
      (row.abstentions + index).initialize(to: entry.vote(Verdict(), entry.tier, latency: 0))
    }
    return row
  }

  func deallocate() { base.deallocate() }

  @inline(__always)
  private var head: UnsafePointer<Head> { UnsafePointer(base.assumingMemoryBound(to: Head.self)) }

  /// How many handlers there are, 1 or more.
  @inline(__always)
  var count: Int { head.pointee.count }

  /// Whose handlers these are.
  var kind: EventKind { head.pointee.kind }

  /// How many answers one event may get.
  @inline(__always)
  var answerLimit: Int { head.pointee.answerLimit }

  /// Denials count.
  @inline(__always)
  var canDeny: Bool { head.pointee.canDeny }

  /// No filter, no denial: every handler is called, and most will have nothing to say.
  @inline(__always)
  var isPlain: Bool { head.pointee.isPlain }

  /// What the answer of all of them together depends on; nil when it cannot be cached.
  var cache: CacheDeclaration? { head.pointee.cache }

  /// How many events were shown to the row, by thread: each handler was called for them but where its filter said no.
  @inline(__always)
  var asked: HandlerCounters { HandlerCounters(at: base + Self.countersOffset) }

  /// What is called.
  @inline(__always)
  var calls: UnsafeMutablePointer<HandlerCall> {
    (base + Self.callsOffset).assumingMemoryBound(to: HandlerCall.self)
  }

  /// The votes of all, ready for a record, when all abstain and nobody says why.
  @inline(__always)
  var abstentions: UnsafeMutablePointer<kemon_vote> {
    UnsafeMutableRawPointer(calls + count).assumingMemoryBound(to: kemon_vote.self)
  }

  /// Everything about each of the handlers.
  @inline(__always)
  var entries: UnsafeMutablePointer<HandlerEntry> {
    UnsafeMutableRawPointer(abstentions + count).assumingMemoryBound(to: HandlerEntry.self)
  }
}
