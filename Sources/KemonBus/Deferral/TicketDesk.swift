// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
internal import KemonPlatform

/// Where tickets are opened, resolved and found again.
///
/// One for the process, as tickets are numbers that plugins hand about. The lock is held for no longer than a look-up,
/// and never by code of a plugin.
public enum TicketDesk {
  /// How many tickets of one plugin may be open.
  public static let limit = 1024

  /// What became of an attempt to resolve a ticket.
  public enum Answer: Sendable {
    /// The vote counts.
    case accepted
    /// Something else came before.
    case expired
    /// There never was such a ticket of the plugin.
    case unknown
  }

  fileprivate struct State {
    var tickets: [UInt64: Ticket] = [:]
    var counts: [TicketOwner: Int] = [:]
    var nextID: UInt64 = 1
  }

  private static let state = PosixLock(State())

  /// Opens a ticket; nil when the plugin has too many.
  ///
  /// - Parameters:
  ///   - owner: the plugin.
  ///   - timeout: nanoseconds until `onTimeout` is the vote.
  ///   - cancel: called once when the ticket is closed and was not resolved.
  public static func open(
    owner: TicketOwner, timeout: UInt64, onTimeout: VerdictAction, cancel: kemon_cancel_fn?,
    context: UnsafeMutableRawPointer?
  ) -> UInt64? {
    // Those whose handlers have not ended with them.
    close(overdueOf: owner, EventClock.monotonic())
    return state.withLock { state in
      guard state.counts[owner, default: 0] < limit else { return nil }
      let ticket = Ticket(
        id: state.nextID, owner: owner, timeout: timeout, onTimeout: onTimeout, cancel: cancel,
        context: context)
      state.nextID += 1
      state.tickets[ticket.id] = ticket
      state.counts[owner, default: 0] += 1
      return ticket.id
    }
  }

  /// Gives the vote of a ticket; any thread.
  public static func resolve(_ id: UInt64, owner: TicketOwner, _ verdict: kemon_verdict) -> Answer {
    let (ticket, isKnown) = state.withLock { ($0.tickets[id], id > 0 && id < $0.nextID) }
    guard let ticket else { return isKnown ? .expired : .unknown }
    guard ticket.owner == owner else { return .unknown }
    // Whoever waits for it closes it: to call the plugin back from inside its own call could lock it up.
    guard ticket.deadline > EventClock.monotonic() else { return .expired }
    return ticket.resolve(verdict) ? .accepted : .expired
  }

  /// Closes everything that a plugin has open; returns when all was told.
  public static func close(allOf owner: TicketOwner, _ reason: CancelReason) {
    let tickets = state.withLock { $0.tickets.values.filter { $0.owner == owner } }
    let now = EventClock.monotonic()
    for ticket in tickets { _ = ticket.close(ticket.deadline <= now ? .timeout : reason) }
  }

  /// Forgets the tickets of a plugin, when none of its handlers runs any more.
  public static func forget(allOf owner: TicketOwner) {
    close(allOf: owner, .stop)
    state.withLock { state in
      state.tickets = state.tickets.filter { $0.value.owner != owner }
      state.counts[owner] = nil
    }
  }

  /// How many tickets of a plugin are at the desk.
  public static func count(of owner: TicketOwner) -> Int {
    state.withLock { $0.counts[owner] ?? 0 }
  }

  // MARK: For ballots

  /// Takes a ticket for the vote of a handler; nil when the plugin has no such ticket, or it was taken before.
  static func claim(_ id: UInt64, pluginID: UInt32) -> Ticket? {
    let ticket = state.withLock { $0.tickets[id] }
    guard let ticket, ticket.owner.pluginID == pluginID, ticket.claim() else { return nil }
    return ticket
  }

  /// Takes a ticket away that was decided and read.
  static func remove(_ ticket: Ticket) { state.withLock { $0.remove(ticket) } }

  /// Nanoseconds that a ticket whose time is over is still known: its handler may be about to end with it.
  private static let grace: UInt64 = 10_000_000_000

  private static func close(overdueOf owner: TicketOwner, _ now: UInt64) {
    let overdue = state.withLock { state -> [Ticket] in
      let overdue = state.tickets.values.filter { $0.owner == owner && $0.deadline <= now }
      for ticket in overdue where ticket.deadline &+ grace <= now && ticket.claim() {
        state.remove(ticket)
      }
      return overdue
    }
    for ticket in overdue { _ = ticket.close(.timeout) }
  }
}

extension TicketDesk.State {
  fileprivate mutating func remove(_ ticket: Ticket) {
    guard tickets.removeValue(forKey: ticket.id) != nil else { return }
    counts[ticket.owner, default: 1] -= 1
  }
}
