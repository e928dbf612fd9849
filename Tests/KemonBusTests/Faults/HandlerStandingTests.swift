// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization
import Testing

/// Handlers that fail, and what their votes are worth then.
@Suite struct HandlerStandingTests {
  /// A clock that stands until it is moved, and what a standing has told.
  private final class Bench: Sendable {
    let time = Atomic<UInt64>(1_000_000_000)
    let told = Mutex<[HandlerStanding.Change]>([])

    func standing() -> HandlerStanding {
      HandlerStanding(clock: { self.time.load(ordering: .relaxed) }) { change in
        self.told.withLock { $0.append(change) }
      }
    }

    func pass(seconds: UInt64) {
      time.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed)
    }

    var changes: [HandlerStanding.Change] { told.withLock { $0 } }
  }

  private func ask(_ dispatcher: Dispatcher) -> (verdict: Verdict, vote: kemon_vote?) {
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    let verdict = dispatcher.ask(&builder)
    return (verdict, builder.view.voteCount > 0 ? builder.view.vote(0) : nil)
  }

  private func handler(_ voter: Voter, _ bench: Bench) -> Handler {
    var handler = voter.handler("h", onFault: .deny)
    handler.standing = bench.standing()
    return handler
  }

  @Test func `after three faults votes are only recorded, until the time is over`() {
    let bench = Bench()
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let failing = Voter(.allow, status: -3)
    let token = dispatcher.add([handler(failing, bench)])[0]
    for _ in 0..<3 { #expect(ask(dispatcher).verdict.isDenied, "the declared outcome counts") }
    #expect(
      bench.changes == [
        .quarantined(nanoseconds: 1_000_000_000, strikes: 3, last: .status(-3))
      ])
    let observed = ask(dispatcher)
    #expect(observed.verdict == Verdict(), "nobody decides")
    #expect(observed.vote?.action == UInt16(KEMON_DENY), "but what it said is kept")
    #expect(observed.vote?.tier == UInt16(KEMON_TIER_OBSERVE))
    #expect(failing.calls.value == 4, "it is called all the same")
    let statistics = dispatcher.handlerStatistics()[0]
    #expect(statistics.faults == 4 && statistics.denies == 3 && statistics.wouldDenies == 1)
    #expect(statistics.standing?.isQuarantined == true)
    #expect(statistics.standing?.remaining == 1_000_000_000)

    bench.pass(seconds: 1)
    #expect(ask(dispatcher).verdict.isDenied, "and quarantined again at once, for two seconds")
    #expect(bench.changes.count == 3 && bench.changes[1] == .released)
    #expect(dispatcher.handlerStatistics()[0].standing?.remaining == 2_000_000_000)
    #expect(!ask(dispatcher).verdict.isDenied)

    #expect(dispatcher.resetStanding(token))
    #expect(dispatcher.handlerStatistics()[0].standing?.strikes == 0)
    #expect(ask(dispatcher).verdict.isDenied)
    #expect(bench.changes.last == .released)
  }

  @Test func `an answer that is not allowed is a strike, too`() {
    let bench = Bench()
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let wrong = Voter(.defer)
    dispatcher.add([handler(wrong, bench)])
    for _ in 0..<3 { _ = ask(dispatcher) }
    #expect(
      bench.changes == [.quarantined(nanoseconds: 1_000_000_000, strikes: 3, last: .answer)])
  }

  @Test func `a stand-in says what became of a call`() {
    let bench = Bench()
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    for (status, isLate, strikes): (kemon_status, Bool, UInt64) in [
      (StandInStatus.timedOut, true, 1), (StandInStatus.noTurn, true, 0),
      (StandInStatus.died, false, 1), (StandInStatus.absent, false, 0), (-5, false, 1),
    ] {
      let voter = Voter(.abstain, status: status)
      var handler = handler(voter, bench)
      handler.onTimeout = .allow
      handler.isStandIn = true
      let token = dispatcher.add([handler])[0]
      #expect(ask(dispatcher).verdict.action == (isLate ? .allow : .deny), "\(status)")
      let statistics = dispatcher.handlerStatistics().last
      #expect(statistics?.timeouts == (isLate ? 1 : 0) && statistics?.faults == (isLate ? 0 : 1))
      #expect(statistics?.standing?.strikes == strikes, "\(status)")
      dispatcher.remove([token])
      // From a plugin the same number is a status like any other.
      let plain = dispatcher.add([self.handler(voter, bench)])[0]
      #expect(ask(dispatcher).verdict.isDenied)
      dispatcher.remove([plain])
    }
  }

  @Test func `an answer is neither remembered nor repeated while a vote of it does not count`() {
    let bench = Bench()
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let cacheable: kemon_handler_fn = { _, _, verdict in
      guard let verdict else { return -1 }
      verdict.pointee.flags = UInt16(KEMON_V_CACHEABLE)
      return kemon_say(verdict, UInt16(KEMON_DENY), 13, 0, "")
    }
    let standing = bench.standing()
    dispatcher.add([
      Handler(
        name: "h", pluginID: 1, pluginName: "p", kinds: [EventKind(Int(KEMON_KIND_FILE_OPEN_PRE))],
        function: cacheable, cache: CacheDeclaration(fields: [.path]), standing: standing)
    ])
    #expect(ask(dispatcher).verdict.isDenied)
    #expect(ask(dispatcher).verdict.isDenied)
    #expect(dispatcher.cache.statistics.hits == 1)
    for _ in 0..<3 { standing.strike(.timeout) }
    for _ in 0..<2 { #expect(!ask(dispatcher).verdict.isDenied, "not the remembered denial") }
    #expect(dispatcher.cache.statistics.hits == 1)
    bench.pass(seconds: 1)
    for _ in 0..<2 { #expect(ask(dispatcher).verdict.isDenied, "not the remembered silence") }
    #expect(dispatcher.cache.statistics.hits == 2)
  }

  @Test func `the host's own rules are heard however often they fail`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let failing = Voter(.allow, status: -1)
    dispatcher.add([failing.handler("h", tier: .guard, onFault: .deny)])
    for _ in 0..<10 { #expect(ask(dispatcher).verdict.isDenied) }
  }

  @Test func `the context of a handler lives until its last call has left`() {
    final class Owner: Sendable {}
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    weak var gone: Owner?
    var token: HandlerToken?
    do {
      let owner = Owner()
      gone = owner
      var handler = Voter(.allow).handler("h")
      handler.owner = owner
      token = dispatcher.add([handler]).first
    }
    #expect(gone != nil)
    if let token { dispatcher.remove([token]) }
    #expect(gone == nil)
  }
}
