// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

/// One event's vote: every handler is asked, every vote is kept.
///
/// A handler without an opinion on an event that cannot be denied has only seen it: that is counted, not kept.
struct Ballot {
  /// Of calls that need not be timed one in so many is.
  private static let sampling: UInt64 = 64

  private let row: HandlerRow
  private let thread: Int
  private let answers: UnsafeMutablePointer<kemon_verdict>
  private let votes: UnsafeMutablePointer<kemon_vote>
  private var count = 0
  private var guarded = Verdict()
  private var enforced = Verdict()
  private var isCacheable = true
  /// When the handler that is called next was ready to be called; 0 = not known.
  private var mark: UInt64 = 0
  private var isPost = false

  /// Calls the handlers of a row, joins their votes, and writes votes and verdict into the sealed record.
  ///
  /// - Parameters:
  ///   - thread: number of the calling thread.
  ///   - room: as much as the row has handlers.
  /// - Returns: the verdict, and whether every handler that was asked lets it be remembered.
  static func hold(
    _ row: HandlerRow, _ builder: inout RecordBuilder, thread: Int, room: BallotBox.Room
  ) -> (verdict: Verdict, isCacheable: Bool) {
    var ballot = Ballot(row, thread, room.answers, room.votes)
    return ballot.hold(&builder)
  }

  private init(
    _ row: HandlerRow, _ thread: Int, _ answers: UnsafeMutablePointer<kemon_verdict>,
    _ votes: UnsafeMutablePointer<kemon_vote>
  ) {
    self.row = row
    self.thread = thread
    self.answers = answers
    self.votes = votes
  }

  private mutating func hold(
    _ builder: inout RecordBuilder
  ) -> (verdict: Verdict, isCacheable: Bool) {
    let record = builder.view
    let event = record.event
    isPost = event.pointee.phase == UInt16(KEMON_PHASE_POST)
    if row.canDeny { mark = EventClock.monotonic() }
    for entry in row.entries {
      if let filter = entry.filter, !filter.matches(record) {
        entry.counters.add(.filtered, on: thread)
        continue
      }
      let calls = entry.counters.add(.calls, on: thread)
      let answer = answers + count
      Self.preset(answer)
      if row.canDeny || calls % Self.sampling == 0 {
        take(entry, answer, status: time(entry, event, answer))
        continue
      }
      let status = entry.function(entry.context, event, answer)
      // Most have nothing to say.
      if status == 0, answer.pointee.action == UInt16(KEMON_ABSTAIN), answer.pointee.reason.0 == 0 {
        continue
      }
      take(entry, answer, status: (status, 0))
    }
    let verdict = guarded.action == .abstain ? enforced : guarded
    guard count > 0 else { return (verdict, isCacheable) }
    builder.header.pointee.verdict = verdict.action.rawValue
    builder.header.pointee.decided_by = verdict.decidedBy
    let answers = answers
    builder.append(votes: UnsafeBufferPointer(start: votes, count: count)) {
      Self.reason(of: answers + $0)
    }
    return (verdict, isCacheable)
  }

  /// Calls a handler and says how long it took; the end of one call is the beginning of the next.
  private mutating func time(
    _ entry: HandlerEntry, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>
  ) -> (kemon_status, UInt32) {
    let start = row.canDeny ? mark : EventClock.monotonic()
    let status = entry.function(entry.context, event, answer)
    let now = EventClock.monotonic()
    mark = now
    let latency = UInt32(clamping: max(now &- start, 1))
    entry.counters.add(.timedCalls, on: thread)
    entry.counters.add(.timedNanoseconds, UInt64(latency), on: thread)
    return (status, latency)
  }

  /// Reads an answer as a vote, keeps it, and joins it with the others where it counts.
  private mutating func take(
    _ entry: HandlerEntry, _ answer: UnsafeMutablePointer<kemon_verdict>,
    status: (code: kemon_status, latency: UInt32)
  ) {
    let opinion = opinion(entry, answer, status.code)
    if !row.canDeny, status.code >= 0, opinion.action == .abstain, answer.pointee.reason.0 == 0 {
      return
    }
    (votes + count)
      .initialize(
        to: kemon_vote(
          plugin_id: entry.pluginID, handler_id: entry.handlerID,
          action: opinion.action.rawValue, tier: entry.tier.rawValue, err: opinion.error,
          reason_code: opinion.reasonCode, latency_ns: status.latency, reason: kemon_str()))
    count += 1
    guard isCounted(opinion, entry) else { return }
    if entry.tier == .guard {
      guarded = guarded.joined(with: opinion)
    } else {
      enforced = enforced.joined(with: opinion)
    }
  }

  private mutating func opinion(
    _ entry: HandlerEntry, _ answer: UnsafeMutablePointer<kemon_verdict>, _ status: kemon_status
  ) -> Verdict {
    guard status >= 0, let action = VerdictAction(rawValue: answer.pointee.action),
      action != .defer
    else {
      isCacheable = false
      entry.counters.add(.faults, on: thread)
      (answer.pointee.reason.0, answer.pointee.reason.1) = (0, 0)
      return Verdict(
        action: entry.onFault, decidedBy: entry.pluginID, priority: entry.priority)
    }
    let flags = answer.pointee.flags
    if flags & UInt16(KEMON_V_CACHEABLE) == 0 { isCacheable = false }
    // What a post handler modifies is the result, and only when it says so.
    let replaces = isPost && action == .modify && flags & UInt16(KEMON_V_RESULT) != 0
    return Verdict(
      action: action, error: answer.pointee.err,
      allowMask: action == .modify && !isPost ? answer.pointee.allow_mask : .max,
      replacement: replaces ? answer.pointee.result : nil,
      reasonCode: answer.pointee.reason_code, decidedBy: entry.pluginID,
      priority: entry.priority)
  }

  /// Whether a vote is joined, or only kept; denials are counted on the way.
  private func isCounted(_ opinion: Verdict, _ entry: HandlerEntry) -> Bool {
    let isEffective = entry.tier != .observe && (row.canDeny || !opinion.isDenied)
    if opinion.isDenied {
      entry.counters.add(isEffective ? .denies : .wouldDenies, on: thread)
    }
    // Nobody decides by having no opinion.
    return isEffective && opinion.action != .abstain
  }

  /// Everything of an answer that is read back; the rest of the reason is not cleared, a NUL in front ends it.
  private static func preset(_ answer: UnsafeMutablePointer<kemon_verdict>) {
    answer.pointee.size = UInt32(MemoryLayout<kemon_verdict>.size)
    answer.pointee.action = UInt16(KEMON_ABSTAIN)
    answer.pointee.flags = 0
    answer.pointee.err = 0
    answer.pointee.reason_code = 0
    answer.pointee.allow_mask = .max
    answer.pointee.result = 0
    answer.pointee.reason.0 = 0
  }

  private static func reason(
    of answer: UnsafeMutablePointer<kemon_verdict>
  ) -> UnsafePointer<CChar>? {
    guard answer.pointee.reason.0 != 0 else { return nil }
    let offset = MemoryLayout<kemon_verdict>.offset(of: \.reason) ?? 0
    return UnsafeRawPointer(answer).advanced(by: offset).assumingMemoryBound(to: CChar.self)
  }
}
