// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
internal import Synchronization

extension Dispatcher {
  /// Of so many events that cannot be denied one is timed, at one of its handlers, in turn.
  private static let sampling: UInt64 = 64

  /// Asks the handlers of the record's kind, writes their votes and the verdict into the record, and publishes it.
  ///
  /// - Parameter builder: holds a record with its payload; sealed and numbered here.
  /// - Returns: what the hook has to enforce.
  @discardableResult
  public func dispatch(_ builder: inout RecordBuilder) -> Verdict {
    if let turn = askPlainly(&builder) { return decide(&builder, turn, thenPublish: true) }
    ring.publishHere(&builder)
    return Verdict()
  }

  /// Asks the handlers of the record's kind and writes their votes and the verdict into the record.
  ///
  /// - Parameter builder: holds a record with its payload; sealed here.
  /// - Returns: what the hook has to enforce.
  @discardableResult
  public func ask(_ builder: inout RecordBuilder) -> Verdict {
    if let turn = askPlainly(&builder) { return decide(&builder, turn, thenPublish: false) }
    return Verdict()
  }

  /// The way of most events: nobody wants to know, or all abstain.
  ///
  /// - Returns: nil when everything is said and written down; else how far the event has come, still inside.
  @inline(__always)
  private func askPlainly(_ builder: inout RecordBuilder) -> Turn? {
    let record = builder.seal()
    let header = builder.header
    if header.pointee.time_ns == 0 { header.pointee.time_ns = clock.now() }
    let thread = HandlerCounters.thread()
    let ticket = quiescence.enter(thread)
    let address = table.load(ordering: .acquiring)
    guard let row = HandlerTable(address: address).row(record.kind) else {
      quiescence.leave(ticket)
      return nil
    }
    let asked = row.asked.add(.calls, on: thread)
    var turn = Turn(row: row, table: address, thread: thread, ticket: ticket)
    let isTimed = asked % Self.sampling == 0
    // Who is in a call of a handler already needs what it wrote down about that, afterwards.
    guard row.isPlain, Quiescence.isSeat(ticket), HandlerCrumb(thread: thread).owner == 0,
      let answer = BallotBox.blank(at: quiescence.seat(ticket))
    else {
      if isTimed { turn.timed = Self.turn(asked, of: row) }
      return turn
    }
    if isTimed { return askTimed(&builder, turn, answer, Self.turn(asked, of: row)) }
    // Most have nothing to say, and leave the blank answer blank: their votes are ready.
    let count = row.count
    let crumb = HandlerCrumb(thread: thread)
    crumb.begin(record.event)
    let (index, status) = Self.call(row.calls, count, record.event, answer, crumb)
    crumb.end()
    guard index == count else {
      turn.first = index
      turn.status = status
      return turn
    }
    builder.append(ready: row.abstentions, count: count)
    quiescence.leaveSeat(ticket)
    return nil
  }

  /// Which handler is timed.
  private static func turn(_ asked: UInt64, of row: HandlerRow) -> Int {
    Int(truncatingIfNeeded: asked / sampling) % row.count
  }

  /// The same way, with a look at the clock before and after the call of one handler.
  @inline(never)
  private func askTimed(
    _ builder: inout RecordBuilder, _ turn: Turn, _ answer: UnsafeMutablePointer<kemon_verdict>,
    _ timed: Int
  ) -> Turn? {
    let row = turn.row
    let event = builder.view.event
    var turn = turn
    turn.timed = timed
    let crumb = HandlerCrumb(thread: turn.thread)
    crumb.begin(event)
    var (index, status) =
      timed == 0 ? (0, 0) : Self.call(row.calls, timed, event, answer, crumb)
    if index == timed {
      let start = EventClock.monotonic()
      (index, status) = Self.call(row.calls + timed, 1, event, answer, crumb)
      turn.latency = row.entries[timed].count(EventClock.monotonic() &- start, on: turn.thread)
      let rest = row.count - timed - 1
      if index == 1, rest > 0 {
        (index, status) = Self.call(row.calls + timed + 1, rest, event, answer, crumb)
        index += 1
      }
      index += timed
    }
    crumb.end()
    guard index == row.count else {
      turn.first = index
      turn.status = status
      return turn
    }
    builder.append(ready: row.abstentions, count: row.count)
    builder.setLatency(turn.latency, ofVote: timed)
    quiescence.leaveSeat(turn.ticket)
    return nil
  }

  /// Calls one handler after the other until one has something to say.
  ///
  /// By itself, so that everything stays in registers.
  ///
  /// - Parameter count: how many, 1 or more.
  /// - Returns: which one and what it returned; the count when none had.
  @inline(never)
  private static func call(
    _ calls: UnsafePointer<HandlerCall>, _ count: Int, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>, _ crumb: HandlerCrumb
  ) -> (index: Int, status: kemon_status) {
    var next = calls
    let end = calls + count
    repeat {
      crumb.set(next.pointee.owner)
      let status = next.pointee.function(next.pointee.context, event, answer)
      if status != 0 || !BallotBox.isBlank(answer) { return (next - calls, status) }
      next += 1
    } while next != end
    return (count, 0)
  }

  /// How far an event has come when the ballot begins.
  private struct Turn {
    let row: HandlerRow
    /// The table of the row.
    let table: UInt
    let thread: Int
    let ticket: Int
    /// The handler whose call is timed, where calls are timed now and then; nil for none.
    var timed: Int?
    /// How long its call took, if it was called already.
    var latency: UInt32 = 0
    /// The first handler that has something to say, or has not been called.
    var first = 0
    /// What it returned; nil when it has not been called.
    var status: kemon_status?
  }

  /// The whole way: filters, times, votes, the join, and what is remembered.
  @inline(never)
  private func decide(
    _ builder: inout RecordBuilder, _ turn: Turn, thenPublish: Bool
  ) -> Verdict {
    let verdict = hold(&builder, turn)
    quiescence.leave(turn.ticket)
    if thenPublish { ring.publish(&builder) }
    return verdict
  }

  private func hold(_ builder: inout RecordBuilder, _ turn: Turn) -> Verdict {
    let row = turn.row
    let seat = Quiescence.isSeat(turn.ticket) ? quiescence.seat(turn.ticket) : nil
    return BallotBox.withRoom(for: row.answerLimit, at: seat) { room in
      // An answer of an old table must not be stored under the generation of a new one: generations begin after their
      // table has been put into place, so if the table is still there, the generation that was read before is not newer.
      let generation = cache.generation
      if let declaration = row.cache, !builder.view.isTruncated,
        table.load(ordering: .acquiring) == turn.table
      {
        return askCached(declaration, generation, &builder, turn, room)
      }
      var ballot = Ballot(row, room, thread: turn.thread, timed: turn.timed)
      if let status = turn.status {
        ballot.takeBlank(
          turn.first, status: status, latency: turn.latency,
          isPost: builder.header.pointee.phase == UInt16(KEMON_PHASE_POST))
        return ballot.hold(&builder, from: turn.first + 1).verdict
      }
      return ballot.hold(&builder, from: 0).verdict
    }
  }

  private func askCached(
    _ declaration: CacheDeclaration, _ generation: UInt64, _ builder: inout RecordBuilder,
    _ turn: Turn, _ room: BallotBox.Room
  ) -> Verdict {
    let row = turn.row
    var key = CacheKey(in: room.key)
    key.append(declaration.fields, of: builder.view)
    let now = builder.header.pointee.time_ns
    if let verdict = cache.find(key, generation: generation, now: now) {
      builder.header.pointee.verdict = verdict.action.rawValue
      builder.header.pointee.decided_by = verdict.decidedBy
      builder.header.pointee.flags |= UInt16(KEMON_EV_CACHED)
      // Nobody was asked.
      row.asked.subtractOne(.calls, on: turn.thread)
      return verdict
    }
    var ballot = Ballot(row, room, thread: turn.thread, timed: turn.timed)
    let (verdict, isCacheable) = ballot.hold(&builder, from: 0)
    if isCacheable {
      cache.store(
        verdict, key, generation: generation, now: now, lifetime: declaration.lifetime)
    }
    return verdict
  }
}
