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
    let verdict = askHere(&builder)
    ring.publish(&builder)
    return verdict
  }

  /// Asks the handlers of the record's kind and writes their votes and the verdict into the record.
  ///
  /// - Parameter builder: holds a record with its payload; sealed here.
  /// - Returns: what the hook has to enforce.
  @discardableResult
  public func ask(_ builder: inout RecordBuilder) -> Verdict { askHere(&builder) }

  @inline(__always)
  private func askHere(_ builder: inout RecordBuilder) -> Verdict {
    let record = builder.seal()
    let header = builder.header
    if header.pointee.time_ns == 0 { header.pointee.time_ns = clock.now() }
    let thread = HandlerCounters.thread()
    let ticket = quiescence.enter(thread)
    defer { quiescence.leave(ticket) }
    let address = table.load(ordering: .acquiring)
    guard let row = HandlerTable(address: address).row(record.kind) else { return Verdict() }
    let asked = row.pointee.asked.add(.calls, on: thread)
    var turn = Turn(table: address, thread: thread, ticket: ticket)
    if asked % Self.sampling == 0 {
      turn.timed = Int(truncatingIfNeeded: asked / Self.sampling) % row.pointee.count
    } else if row.pointee.isPlain, let answer = box.blank(ticket) {
      // Most have nothing to say, and leave the blank answer blank: then there is nothing to write down.
      let (index, status) = Self.call(
        row.pointee.calls, row.pointee.count, record.event, answer)
      if index == row.pointee.count { return Verdict() }
      turn.first = index
      turn.status = status
    }
    return hold(row, &builder, turn)
  }

  /// Calls one handler after the other until one has something to say.
  ///
  /// By itself, so that everything stays in registers.
  ///
  /// - Returns: which one and what it returned; the count when none had.
  @inline(never)
  private static func call(
    _ calls: UnsafePointer<HandlerCall>, _ count: Int, _ event: UnsafePointer<kemon_event>,
    _ answer: UnsafeMutablePointer<kemon_verdict>
  ) -> (index: Int, status: kemon_status) {
    var next = calls
    let end = calls + count
    while next != end {
      let status = next.pointee.function(next.pointee.context, event, answer)
      if status != 0 || !BallotBox.isBlank(answer) { return (next - calls, status) }
      next += 1
    }
    return (count, 0)
  }

  /// How far an event has come when the ballot begins.
  private struct Turn {
    /// The table of the row.
    let table: UInt
    let thread: Int
    let ticket: Int
    /// The handler whose call is timed, where calls are timed now and then; nil for none.
    var timed: Int?
    /// The first handler that has something to say, or has not been called.
    var first = 0
    /// What it returned; nil when it has not been called.
    var status: kemon_status?
  }

  /// The whole way: filters, times, votes, the join, and what is remembered.
  @inline(never)
  private func hold(
    _ row: UnsafeMutablePointer<HandlerRow>, _ builder: inout RecordBuilder, _ turn: Turn
  ) -> Verdict {
    box.withRoom(for: row.pointee.count, ticket: turn.ticket) { room in
      // An answer of an old table must not be stored under the generation of a new one: generations begin after their
      // table has been put into place, so if the table is still there, the generation that was read before is not newer.
      let generation = cache.generation
      if let declaration = row.pointee.cache, !builder.view.isTruncated,
        table.load(ordering: .acquiring) == turn.table
      {
        return askCached(row, declaration, generation, &builder, turn, room)
      }
      var ballot = Ballot(row, room, thread: turn.thread, timed: turn.timed)
      if let status = turn.status {
        ballot.takeBlank(
          turn.first, status: status,
          isPost: builder.header.pointee.phase == UInt16(KEMON_PHASE_POST))
        return ballot.hold(&builder, from: turn.first + 1).verdict
      }
      return ballot.hold(&builder, from: 0).verdict
    }
  }

  private func askCached(
    _ row: UnsafeMutablePointer<HandlerRow>, _ declaration: CacheDeclaration,
    _ generation: UInt64, _ builder: inout RecordBuilder, _ turn: Turn, _ room: BallotBox.Room
  ) -> Verdict {
    var key = CacheKey(in: room.key)
    key.append(declaration.fields, of: builder.view)
    let now = builder.header.pointee.time_ns
    if let verdict = cache.find(key, generation: generation, now: now) {
      builder.header.pointee.verdict = verdict.action.rawValue
      builder.header.pointee.decided_by = verdict.decidedBy
      builder.header.pointee.flags |= UInt16(KEMON_EV_CACHED)
      // Nobody was asked.
      row.pointee.asked.subtractOne(.calls, on: turn.thread)
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
