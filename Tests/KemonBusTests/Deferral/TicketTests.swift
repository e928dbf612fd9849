// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonBus

/// What was told to those who opened tickets.
private final class Told: Sendable {
  let count = Atomic<Int>(0)
  let reason = Atomic<Int>(0)
  /// Whom a crash report would have named.
  let plugin = Atomic<UInt32>(0)

  static let cancel: kemon_cancel_fn = { context, _, reason in
    guard let context else { return }
    Unmanaged<Told>.fromOpaque(context)._withUnsafeGuaranteedRef { told in
      told.count.wrappingAdd(1, ordering: .relaxed)
      told.reason.store(Int(reason), ordering: .relaxed)
      told.plugin.store(HandlerCrumb.current.plugin, ordering: .relaxed)
    }
  }

  var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}

@Suite struct TicketTests {
  private func verdict(_ action: VerdictAction) -> kemon_verdict {
    var verdict = kemon_blank_verdict()
    verdict.action = action.rawValue
    return verdict
  }

  @Test(.timeLimit(.minutes(2)))
  func `of resolve, timeout and cancel exactly one wins, whoever comes when`() throws {
    let owner = TicketOwner(pluginID: 1)
    let told = Told()
    let rounds = 400
    for round in 0..<rounds {
      told.count.store(0, ordering: .relaxed)
      let id = try #require(
        TicketDesk.open(
          owner: owner, timeout: 1 << 40, onTimeout: .deny, cancel: Told.cancel,
          context: told.context))
      let ticket = try #require(TicketDesk.claim(id, pluginID: 1))
      let wins = Counter()
      let ready = Counter()
      let threads = (0..<8).map { index in
        WorkerThread(named: "racer \(index)") {
          ready.add(1)
          while ready.value < 8 { sched_yield() }
          let hasWon =
            switch (index + round) % 4 {
            case 0: ticket.close(.timeout)
            case 1: ticket.close(.denied)
            default: TicketDesk.resolve(id, owner: owner, self.verdict(.allow)) == .accepted
            }
          if hasWon { wins.add(1) }
        }
      }
      for thread in threads { thread.join() }
      #expect(wins.value == 1)
      #expect(!ticket.isOpen)
      let wasCancelled = ticket.cancelReason != nil
      #expect((ticket.verdict != nil) == !wasCancelled)
      #expect(told.count.load(ordering: .relaxed) == (wasCancelled ? 1 : 0))
      TicketDesk.remove(ticket)
    }
    #expect(TicketDesk.count(of: owner) == 0)
  }

  @Test func `a ticket is taken once, by its plugin, and known as long as it is open`() throws {
    let (owner, other) = (TicketOwner(pluginID: 7), TicketOwner(pluginID: 7))
    let id = try #require(
      TicketDesk.open(owner: owner, timeout: 1 << 40, onTimeout: .deny, cancel: nil, context: nil))
    #expect(TicketDesk.claim(id, pluginID: 8) == nil)
    #expect(TicketDesk.resolve(id, owner: other, verdict(.allow)) == .unknown)
    #expect(TicketDesk.resolve(.max, owner: owner, verdict(.allow)) == .unknown)
    #expect(TicketDesk.resolve(id, owner: owner, verdict(.allow)) == .accepted)
    #expect(TicketDesk.resolve(id, owner: owner, verdict(.deny)) == .expired)
    let ticket = try #require(TicketDesk.claim(id, pluginID: 7))
    #expect(TicketDesk.claim(id, pluginID: 7) == nil)
    #expect(ticket.verdict?.pointee.action == VerdictAction.allow.rawValue)
    TicketDesk.remove(ticket)
    #expect(TicketDesk.resolve(id, owner: owner, verdict(.allow)) == .expired)
  }

  @Test func `a plugin has only so many tickets, and loses them at its end`() throws {
    let owner = TicketOwner(pluginID: 9)
    let told = Told()
    let open = {
      TicketDesk.open(
        owner: owner, timeout: 1 << 40, onTimeout: .deny, cancel: Told.cancel,
        context: told.context)
    }
    for _ in 0..<TicketDesk.limit { #expect(open() != nil) }
    #expect(open() == nil)
    TicketDesk.forget(allOf: owner)
    #expect(told.count.load(ordering: .relaxed) == TicketDesk.limit)
    #expect(told.reason.load(ordering: .relaxed) == Int(CancelReason.stop.rawValue))
    #expect(open() != nil)
    TicketDesk.forget(allOf: owner)
  }

  @Test func `a ticket that nobody has ended with is over when its time is`() throws {
    let (owner, told) = (TicketOwner(pluginID: 11), Told())
    let first = TicketDesk.open(
      owner: owner, timeout: 1, onTimeout: .deny, cancel: Told.cancel, context: told.context)
    #expect(first != nil)
    _ = TicketDesk.open(owner: owner, timeout: 1 << 40, onTimeout: .deny, cancel: nil, context: nil)
    #expect(told.count.load(ordering: .relaxed) == 1)
    #expect(told.reason.load(ordering: .relaxed) == Int(CancelReason.timeout.rawValue))
    let named = told.plugin.load(ordering: .relaxed)
    #expect(named == 11)
    // Its handler may still end with it, and is told the same.
    let ticket = TicketDesk.claim(try #require(first), pluginID: 11)
    #expect(ticket?.cancelReason == .timeout)
    TicketDesk.forget(allOf: owner)
  }

  @Test func `whoever resolves a ticket after its time is too late`() throws {
    let (owner, told) = (TicketOwner(pluginID: 12), Told())
    let open = {
      TicketDesk.open(
        owner: owner, timeout: 1, onTimeout: .deny, cancel: Told.cancel, context: told.context)
    }
    let id = try #require(open())
    #expect(TicketDesk.resolve(id, owner: owner, verdict(.allow)) == .expired)
    #expect(told.count.load(ordering: .relaxed) == 0, "nobody is called back from there")
    _ = open()
    TicketDesk.close(allOf: owner, .stop)
    #expect(told.count.load(ordering: .relaxed) == 2)
    #expect(told.reason.load(ordering: .relaxed) == Int(CancelReason.timeout.rawValue))
    TicketDesk.forget(allOf: owner)
  }
}
