// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

/// One event's vote: every handler is asked, every vote is kept.
struct Ballot {
  private let row: HandlerRow
  private let room: BallotBox.Room
  private let thread: Int
  private let timed: Int?
  private let canDeny: Bool
  private var count = 0
  private var guarded = Verdict()
  private var enforced = Verdict()
  private var isCacheable = true
  private var isPost = false
  private var deferred = DeferredVotes()
  private var patches = FieldPatches()
  /// A handler has changed the event, and all are asked about it as it is now.
  private var isSecondRound = false
  /// When the handler that is called next was ready to be called.
  private var mark: UInt64 = 0

  /// Prepares a ballot of a row's handlers.
  ///
  /// - Parameters:
  ///   - room: for as many as the row has.
  ///   - thread: number of the calling thread.
  ///   - timed: the handler whose call is timed, where not all are because it can be denied.
  init(
    _ row: HandlerRow, _ room: BallotBox.Room, thread: Int, timed: Int?
  ) {
    self.row = row
    self.room = room
    self.thread = thread
    self.timed = timed
    canDeny = row.canDeny
  }

  /// Takes what a handler has written to the blank answer, which is blank again afterwards; those before it abstained.
  ///
  /// - Parameter latency: of the handler that is timed, when it is one of these.
  mutating func takeBlank(
    _ index: Int, status: kemon_status, latency: UInt32, isPost: Bool
  ) {
    self.isPost = isPost
    room.votes.update(from: row.abstentions, count: index)
    for earlier in 0..<index { room.answers[earlier].reason.0 = 0 }
    count = index
    let answer = room.answers + index
    answer.update(from: room.blank, count: 1)
    BallotBox.makeBlank(room.blank)
    take(row.entries + index, answer, status, latency: index == timed ? latency : 0)
    if let timed, timed < index { room.votes[timed].latency_ns = latency }
  }

  /// Calls the handlers from one on, joins all votes, and writes votes and verdict into the sealed record.
  ///
  /// - Returns: the verdict, and whether every handler that was asked lets it be remembered.
  mutating func hold(
    _ builder: inout RecordBuilder, from first: Int
  ) -> (verdict: Verdict, isCacheable: Bool) {
    let record = builder.view
    let event = record.event
    isPost = event.pointee.phase == UInt16(KEMON_PHASE_POST)
    if canDeny { mark = EventClock.monotonic() }
    let crumb = HandlerCrumb(thread: thread)
    // A handler may have made this event happen: when it goes on, it is in its own call again.
    let outer = crumb.begin(event)
    for index in first..<row.count {
      let entry = row.entries + index
      if entry.pointee.isKeptAway(record) {
        entry.pointee.counters.add(.filtered, on: thread)
        continue
      }
      let answer = room.answers + count
      let isTimed = canDeny || index == timed
      if !canDeny, isTimed { mark = EventClock.monotonic() }
      BallotBox.makeBlank(answer)
      crumb.set(entry.pointee.owner)
      let status = entry.pointee.function(entry.pointee.context, event, answer)
      take(entry, answer, status, latency: isTimed ? latency(entry) : 0)
    }
    crumb.end(backTo: outer)
    settle()
    if reoffer(&builder) { return hold(&builder, from: 0) }
    var verdict = guarded.action == .abstain ? enforced : guarded
    verdict.isPatched = isSecondRound
    guard count > 0 else { return (verdict, isCacheable) }
    builder.header.pointee.verdict = verdict.action.rawValue
    builder.header.pointee.decided_by = verdict.decidedBy
    let answers = room.answers
    builder.append(votes: UnsafeBufferPointer(start: room.votes, count: count)) {
      Self.reason(of: answers + $0)
    }
    return (verdict, isCacheable)
  }

  /// How long the call took that has just returned; the end of one is the beginning of the next.
  private mutating func latency(_ entry: UnsafePointer<HandlerEntry>) -> UInt32 {
    let now = EventClock.monotonic()
    defer { mark = now }
    return entry.pointee.count(now &- mark, on: thread)
  }

  /// Reads an answer as a vote, keeps it, and joins it with the others where it counts.
  private mutating func take(
    _ entry: UnsafePointer<HandlerEntry>, _ answer: UnsafeMutablePointer<kemon_verdict>,
    _ status: kemon_status, latency: UInt32
  ) {
    // Before the answer is read: the outcome of the fault that begins a quarantine counts, the next one's does not.
    let tier = entry.pointee.currentTier
    let opinion = opinion(entry, answer, status, tier)
    (room.votes + count).initialize(to: entry.pointee.vote(opinion, tier, latency: latency))
    count += 1
    join(opinion, entry, tier)
  }

  private mutating func join(
    _ opinion: Verdict, _ entry: UnsafePointer<HandlerEntry>, _ tier: VerdictTier
  ) {
    // What is decided without a handler must be asked again when its votes count again.
    if tier != entry.pointee.tier { isCacheable = false }
    // What is deferred is joined when it comes.
    guard opinion.action != .defer, isCounted(opinion, entry, tier) else { return }
    if tier == .guard {
      guarded = guarded.joined(with: opinion)
    } else {
      enforced = enforced.joined(with: opinion)
    }
  }

  private mutating func opinion(
    _ entry: UnsafePointer<HandlerEntry>, _ answer: UnsafeMutablePointer<kemon_verdict>,
    _ status: kemon_status, _ tier: VerdictTier
  ) -> Verdict {
    guard status >= 0, let action = VerdictAction(rawValue: answer.pointee.action),
      action != .defer || postpone(entry, answer, tier),
      takePatch(of: answer, action, entry, tier)
    else {
      isCacheable = false
      (answer.pointee.reason.0, answer.pointee.reason.1) = (0, 0)
      return Verdict(
        action: entry.pointee.outcome(of: status, on: thread), decidedBy: entry.pointee.pluginID,
        priority: entry.pointee.priority)
    }
    let flags = answer.pointee.flags
    if flags & UInt16(KEMON_V_CACHEABLE) == 0 { isCacheable = false }
    // What a post handler modifies is the result, and only when it says so.
    let replaces = isPost && action == .modify && flags & UInt16(KEMON_V_RESULT) != 0
    return Verdict(
      action: action, error: answer.pointee.err,
      allowMask: action == .modify && !isPost ? answer.pointee.allow_mask : .max,
      replacement: replaces ? answer.pointee.result : nil,
      reasonCode: answer.pointee.reason_code, decidedBy: entry.pointee.pluginID,
      priority: entry.pointee.priority)
  }

  // MARK: Later votes

  /// Takes the ticket of a handler that answers later; false when it has none.
  private mutating func postpone(
    _ entry: UnsafePointer<HandlerEntry>, _ answer: UnsafeMutablePointer<kemon_verdict>,
    _ tier: VerdictTier
  ) -> Bool {
    let id = UInt64(bitPattern: answer.pointee.result)
    guard let ticket = TicketDesk.claim(id, pluginID: entry.pointee.pluginID) else { return false }
    guard canDeny, tier != .observe else {
      // Nobody waits for what does not count.
      _ = ticket.close(.unused)
      TicketDesk.remove(ticket)
      return canDeny
    }
    deferred.add(DeferredVotes.Vote(ticket: ticket, place: count, entry: entry))
    return true
  }

  private var isDenied: Bool { guarded.isDenied || enforced.isDenied }

  /// Waits for votes that come later.
  private mutating func settle() {
    guard !deferred.isEmpty else { return }
    var votes = DeferredVotes()
    swap(&votes, &deferred)
    votes.settle(isDenied: isDenied) { vote in
      take(vote)
      return isDenied
    }
  }

  /// Takes a vote whose ticket is decided.
  private mutating func take(_ vote: DeferredVotes.Vote) {
    let (entry, ticket) = (vote.entry, vote.ticket)
    let tier = entry.pointee.currentTier
    let answer = room.answers + vote.place
    let opinion: Verdict
    if let verdict = ticket.verdict {
      answer.update(from: verdict, count: 1)
      opinion = self.opinion(entry, answer, 0, tier)
    } else {
      isCacheable = false
      // The operation was denied anyway: the vote stays what it was.
      guard ticket.cancelReason != .denied else { return }
      if ticket.cancelReason == .timeout { entry.pointee.missTicket(on: thread) }
      answer.pointee.reason.0 = 0
      opinion = Verdict(
        action: ticket.onTimeout, decidedBy: entry.pointee.pluginID,
        priority: entry.pointee.priority)
    }
    let latency = UInt32(clamping: EventClock.monotonic() &- ticket.openedAt)
    room.votes[vote.place] = entry.pointee.vote(opinion, tier, latency: latency)
    join(opinion, entry, tier)
  }

  // MARK: Changes

  /// Notes what a handler wants to change, if anything; false when it may not.
  private mutating func takePatch(
    of answer: UnsafeMutablePointer<kemon_verdict>, _ action: VerdictAction,
    _ entry: UnsafePointer<HandlerEntry>, _ tier: VerdictTier
  ) -> Bool {
    let flags = answer.pointee.flags
    guard action == .modify, flags & UInt16(KEMON_V_PATCH) != 0 else { return true }
    guard !isPost, let place = ModifiableFields.row(patched: flags, row.kind),
      entry.pointee.modifiable.allows(place)
    else { return false }
    if canDeny, tier != .observe, !isSecondRound {
      patches.add(
        row: place, value: UInt64(bitPattern: answer.pointee.result),
        priority: entry.pointee.priority)
    }
    return true
  }

  /// Changes the event as handlers want it; false when they do not, or it was changed already.
  private mutating func reoffer(_ builder: inout RecordBuilder) -> Bool {
    guard !patches.isEmpty, !isSecondRound, !isDenied else { return false }
    isCacheable = false
    guard !patches.isConflict else {
      enforced = enforced.joined(
        with: Verdict(action: .deny, reasonCode: UInt32(bitPattern: KEMON_E_CONFLICT)))
      return false
    }
    guard patches.apply(to: &builder) else { return false }
    builder.header.pointee.flags |= UInt16(KEMON_EV_REVALIDATE)
    isSecondRound = true
    row.asked.add(.calls, on: thread)
    return true
  }

  // MARK: Votes

  /// Whether a vote is joined, or only kept; denials are counted on the way.
  private func isCounted(
    _ opinion: Verdict, _ entry: UnsafePointer<HandlerEntry>, _ tier: VerdictTier
  ) -> Bool {
    let isEffective = tier != .observe && (canDeny || !opinion.isDenied)
    if opinion.isDenied {
      entry.pointee.counters.add(isEffective ? .denies : .wouldDenies, on: thread)
    }
    // Nobody decides by having no opinion.
    return isEffective && opinion.action != .abstain
  }

  private static func reason(
    of answer: UnsafeMutablePointer<kemon_verdict>
  ) -> UnsafePointer<CChar>? {
    guard answer.pointee.reason.0 != 0 else { return nil }
    let offset = MemoryLayout<kemon_verdict>.offset(of: \.reason) ?? 0
    return UnsafeRawPointer(answer).advanced(by: offset).assumingMemoryBound(to: CChar.self)
  }
}
