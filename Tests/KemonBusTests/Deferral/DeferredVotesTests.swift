// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonBus

// Unchecked: what is written is behind atomics.
/// A handler that defers; another thread may take the tickets and resolve them.
private final class Deferrer: @unchecked Sendable {
  let owner: TicketOwner
  let timeout: UInt64
  let tickets = Atomic<UInt64>(0)
  let cancels = Counter()
  let resolved = Counter()
  let expired = Counter()

  init(pluginID: UInt32, timeout: UInt64 = 60_000_000_000) {
    owner = TicketOwner(pluginID: pluginID)
    self.timeout = timeout
  }

  static let function: kemon_handler_fn = { context, _, verdict in
    guard let context, let verdict else { return -1 }
    let deferrer = Unmanaged<Deferrer>.fromOpaque(context).takeUnretainedValue()
    let cancel: kemon_cancel_fn = { context, _, _ in
      guard let context else { return }
      Unmanaged<Deferrer>.fromOpaque(context).takeUnretainedValue().cancels.add(1)
    }
    guard
      let ticket = TicketDesk.open(
        owner: deferrer.owner, timeout: deferrer.timeout, onTimeout: .deny, cancel: cancel,
        context: context)
    else { return -1 }
    kemon_defer(verdict, ticket)
    deferrer.tickets.store(ticket, ordering: .releasing)
    return 0
  }

  func handler(_ name: String = "deferrer") -> KemonBus.Handler {
    Handler(
      name: name, pluginID: owner.pluginID, pluginName: name,
      kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)], function: Self.function,
      context: Unmanaged.passUnretained(self).toOpaque())
  }

  /// Resolves the ticket that is there, if one is.
  func resolve(_ action: VerdictAction) {
    let ticket = tickets.exchange(0, ordering: .acquiringAndReleasing)
    guard ticket != 0 else { return }
    var verdict = kemon_blank_verdict()
    verdict.action = action.rawValue
    switch TicketDesk.resolve(ticket, owner: owner, verdict) {
    case .accepted: resolved.add(1)
    case .expired: expired.add(1)
    case .unknown: Issue.record("ticket \(ticket) is unknown")
    }
  }
}

@Suite struct DeferredVotesTests {
  private let ring = EventRing(slots: 64)

  private func handler(of voter: Voter) -> KemonBus.Handler {
    Handler(
      name: "voter", pluginID: 2, pluginName: "voter", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
      function: Voter.function, context: Unmanaged.passUnretained(voter).toOpaque())
  }

  private func resolving(_ deferrers: [Deferrer], _ action: VerdictAction) -> (Flag, WorkerThread) {
    let isOver = Flag()
    let thread = WorkerThread(named: "resolver") {
      while !isOver.isSet {
        for deferrer in deferrers { deferrer.resolve(action) }
        sched_yield()
      }
    }
    return (isOver, thread)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [VerdictAction.allow, .deny, .abstain])
  func `the operation waits for the vote and gets it`(action: VerdictAction) {
    let dispatcher = Dispatcher(ring: ring)
    let deferrer = Deferrer(pluginID: 1)
    dispatcher.add([deferrer.handler()])
    let (isOver, thread) = resolving([deferrer], action)
    var builder = RecordBuilder()
    for _ in 0..<50 {
      makeOpen("/etc/hosts", &builder)
      let verdict = dispatcher.dispatch(&builder)
      #expect(verdict.action == action)
      #expect(builder.view.voteCount == 1)
      #expect(builder.view.vote(0).action == action.rawValue)
      #expect(builder.view.vote(0).latency_ns > 0)
    }
    isOver.set()
    thread.join()
    #expect(deferrer.resolved.value == 50)
    #expect(deferrer.cancels.value == 0)
    #expect(TicketDesk.count(of: deferrer.owner) == 0)
  }

  @Test(.timeLimit(.minutes(1)))
  func `without a vote the declared one counts, and it is a strike`() {
    let dispatcher = Dispatcher(ring: ring)
    let deferrer = Deferrer(pluginID: 1, timeout: 1000)
    dispatcher.add([deferrer.handler()])
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    #expect(dispatcher.dispatch(&builder).isDenied)
    #expect(deferrer.cancels.value == 1)
    let statistics = dispatcher.handlerStatistics()[0]
    #expect(statistics.timeouts == 1)
    #expect(statistics.standing?.strikes == 1)
    deferrer.resolve(.allow)
    #expect(deferrer.expired.value == 1)
  }

  @Test(.timeLimit(.minutes(1)))
  func `nobody waits once the operation is denied`() {
    let dispatcher = Dispatcher(ring: ring)
    let (first, second) = (Deferrer(pluginID: 1), Deferrer(pluginID: 3))
    let denier = Voter(.deny, error: 13)
    dispatcher.add([first.handler("first"), second.handler("second"), handler(of: denier)])
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    let verdict = dispatcher.dispatch(&builder)
    #expect(verdict.isDenied)
    #expect(verdict.error == 13)
    #expect(first.cancels.value == 1)
    #expect(second.cancels.value == 1)
    let actions = (0..<3).map { builder.view.vote($0).action }
    #expect(actions == [3, 3, 4], "they were never given")
  }

  @Test(.timeLimit(.minutes(1)))
  func `a denial that comes later spares waiting for the others`() {
    let dispatcher = Dispatcher(ring: ring)
    let (slow, quick) = (Deferrer(pluginID: 1), Deferrer(pluginID: 3))
    dispatcher.add([slow.handler("slow"), quick.handler("quick")])
    let (isOver, thread) = resolving([quick], .deny)
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    #expect(dispatcher.dispatch(&builder).isDenied)
    isOver.set()
    thread.join()
    #expect(slow.cancels.value == 1)
    #expect(quick.resolved.value == 1)
  }

  @Test func `who only watches is not waited for, and a vote without a ticket is a fault`() {
    let dispatcher = Dispatcher(ring: ring)
    let deferrer = Deferrer(pluginID: 1)
    var shadow = deferrer.handler()
    shadow.tier = .observe
    let liar = Voter(.defer)
    dispatcher.add([shadow, handler(of: liar)])
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    #expect(dispatcher.dispatch(&builder).action == .abstain)
    #expect(deferrer.cancels.value == 1)
    #expect(dispatcher.handlerStatistics().map(\.faults) == [0, 1])
  }

  @Test(.timeLimit(.minutes(2)))
  func `every ticket comes to one end while lanes, answers and timeouts meet`() {
    let dispatcher = Dispatcher(ring: ring)
    // About as long as an answer takes here.
    let deferrers = (0..<2).map { Deferrer(pluginID: UInt32($0 + 1), timeout: 20_000) }
    dispatcher.add(deferrers.map { $0.handler("deferrer \($0.owner.pluginID)") })
    let (isOver, resolver) = resolving(deferrers, .allow)
    let allowed = Counter()
    let denied = Counter()
    let lanes = (0..<4).map { index in
      WorkerThread(named: "lane \(index)") {
        var builder = RecordBuilder()
        for _ in 0..<300 {
          makeOpen("/etc/hosts", &builder)
          if dispatcher.dispatch(&builder).isDenied { denied.add(1) } else { allowed.add(1) }
        }
      }
    }
    for lane in lanes { lane.join() }
    isOver.set()
    resolver.join()
    #expect(allowed.value + denied.value == 1200)
    let ends = deferrers.reduce(0) { $0 + $1.resolved.value + $1.cancels.value }
    #expect(ends == 2400)
    #expect(deferrers.allSatisfy { TicketDesk.count(of: $0.owner) == 0 })
  }
}
