// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

/// One event's vote: every handler is asked, every vote is kept.
enum Ballot {
  /// Calls the handlers of a row, joins their votes, and writes votes and verdict into the sealed record.
  static func hold(
    _ row: UnsafeBufferPointer<HandlerEntry>, _ builder: inout RecordBuilder
  ) -> Verdict {
    withUnsafeTemporaryAllocation(of: kemon_verdict.self, capacity: row.count) { answers in
      withUnsafeTemporaryAllocation(of: kemon_vote.self, capacity: row.count) { votes in
        hold(row, &builder, answers, votes)
      }
    }
  }

  private static func hold(
    _ row: UnsafeBufferPointer<HandlerEntry>, _ builder: inout RecordBuilder,
    _ answers: UnsafeMutableBufferPointer<kemon_verdict>,
    _ votes: UnsafeMutableBufferPointer<kemon_vote>
  ) -> Verdict {
    guard let answer = answers.baseAddress, let vote = votes.baseAddress else { return Verdict() }
    let record = builder.view
    let canDeny = KindFlags.canDeny(record.kind)
    var guarded = Verdict()
    var enforced = Verdict()
    var count = 0
    var mark = canDeny ? EventClock.monotonic() : 0
    for entry in row {
      if let filter = entry.filter, !filter.matches(record) {
        entry.counters.pointee.filtered.wrappingAdd(1, ordering: .relaxed)
        continue
      }
      let (opinion, latency) = ask(
        entry, record.event, answer + count, canDeny: canDeny, mark: &mark)
      (vote + count).initialize(
        to: kemon_vote(
          plugin_id: entry.pluginID, handler_id: entry.handlerID,
          action: opinion.action.rawValue, tier: entry.tier.rawValue, err: opinion.error,
          reason_code: opinion.reasonCode, latency_ns: latency, reason: kemon_str()))
      count += 1
      guard isCounted(opinion, entry, canDeny: canDeny) else { continue }
      if entry.tier == .guard {
        guarded = guarded.joined(with: opinion)
      } else {
        enforced = enforced.joined(with: opinion)
      }
    }
    let verdict = guarded.action == .abstain ? enforced : guarded
    builder.header.pointee.verdict = verdict.action.rawValue
    builder.header.pointee.decided_by = verdict.decidedBy
    builder.append(votes: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(votes)[..<count])) {
      Self.reason(of: answer + $0)
    }
    return verdict
  }

  /// Calls one handler and reads its answer as a vote.
  private static func ask(
    _ entry: HandlerEntry, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>, canDeny: Bool, mark: inout UInt64
  ) -> (opinion: Verdict, latency: UInt32) {
    preset(answer)
    let status = entry.function(entry.context, event, answer)
    let counters = entry.counters
    counters.pointee.calls.wrappingAdd(1, ordering: .relaxed)
    var latency: UInt32 = 0
    if canDeny {
      let now = EventClock.monotonic()
      latency = UInt32(clamping: max(now - mark, 1))
      mark = now
      counters.pointee.timedCalls.wrappingAdd(1, ordering: .relaxed)
      counters.pointee.timedNanoseconds.wrappingAdd(UInt64(latency), ordering: .relaxed)
    }
    let isPost = event.pointee.phase == UInt16(KEMON_PHASE_POST)
    guard status >= 0, let action = VerdictAction(rawValue: answer.pointee.action),
      action != .defer
    else {
      counters.pointee.faults.wrappingAdd(1, ordering: .relaxed)
      (answer.pointee.reason.0, answer.pointee.reason.1) = (0, 0)
      return (
        Verdict(action: entry.onFault, decidedBy: entry.pluginID, priority: entry.priority), latency
      )
    }
    let replaces =
      isPost && action == .modify && answer.pointee.flags & UInt16(KEMON_V_RESULT) != 0
    return (
      Verdict(
        action: action, error: answer.pointee.err,
        allowMask: action == .modify && !isPost ? answer.pointee.allow_mask : .max,
        replacement: replaces ? answer.pointee.result : nil,
        reasonCode: answer.pointee.reason_code, decidedBy: entry.pluginID,
        priority: entry.priority), latency
    )
  }

  /// Whether a vote is joined, or only kept; denials are counted on the way.
  private static func isCounted(
    _ opinion: Verdict, _ entry: HandlerEntry, canDeny: Bool
  ) -> Bool {
    let isEffective = entry.tier != .observe && (canDeny || !opinion.isDenied)
    if opinion.isDenied {
      if isEffective {
        entry.counters.pointee.denies.wrappingAdd(1, ordering: .relaxed)
      } else {
        entry.counters.pointee.wouldDenies.wrappingAdd(1, ordering: .relaxed)
      }
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

/// Whether kinds can be denied, in a table for the hot path.
enum KindFlags {
  static func canDeny(_ kind: EventKind) -> Bool {
    let number = Int(kind.rawValue)
    return number < EventKind.limit && table[number]
  }

  // Filled in once and never freed: it lives as long as the process.
  nonisolated(unsafe) private static let table: UnsafePointer<Bool> = {
    let table = UnsafeMutablePointer<Bool>.allocate(capacity: EventKind.limit)
    table.initialize(repeating: false, count: EventKind.limit)
    for kind in EventKind.allKinds { table[Int(kind.rawValue)] = kind.info?.canDeny ?? false }
    return UnsafePointer(table)
  }()
}
