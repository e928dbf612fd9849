// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import KemonPlatform

/// The votes of one ballot that come later: waits for them, and never longer than their tickets say.
struct DeferredVotes {
  /// A vote that is awaited.
  struct Vote {
    let ticket: Ticket
    /// Its place among the votes.
    let place: Int
    let entry: UnsafePointer<HandlerEntry>
  }

  private var open: [Vote] = []

  var isEmpty: Bool { open.isEmpty }

  /// Adds a vote that its handler has deferred.
  mutating func add(_ vote: Vote) { open.append(vote) }

  /// Waits until everything is decided.
  ///
  /// - Parameters:
  ///   - isDenied: whether the answer is certain already; then nobody is waited for.
  ///   - take: gets each vote once, when its ticket is decided; tells whether the answer is certain now.
  mutating func settle(isDenied: Bool, _ take: (Vote) -> Bool) {
    guard !open.isEmpty else { return }
    var isDenied = isDenied
    let bell = FutexWord()
    for vote in open { vote.ticket.ring(bell) }
    while !open.isEmpty {
      let value = bell.value
      let now = EventClock.monotonic()
      var next = UInt64.max
      open.removeAll { vote in
        if isDenied {
          _ = vote.ticket.close(.denied)
        } else if vote.ticket.deadline <= now {
          _ = vote.ticket.close(.timeout)
        }
        guard !vote.ticket.isOpen else {
          next = min(next, vote.ticket.deadline)
          return false
        }
        TicketDesk.remove(vote.ticket)
        isDenied = take(vote) || isDenied
        return true
      }
      // Those that were looked at before the denial are closed in another round.
      if isDenied || open.isEmpty { continue }
      bell.wait(from: value, nanoseconds: next &- now)
    }
  }
}
