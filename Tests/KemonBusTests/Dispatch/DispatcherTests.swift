// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@Suite struct DispatcherTests {
  let ring = EventRing(slots: 64)

  private func verdict(_ voters: [(Voter, Handler)], kind: Int = Int(KEMON_KIND_FILE_OPEN_PRE))
    -> (Verdict, [UInt8])
  {
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add(voters.map(\.1))
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", kind: kind, &builder)
    return (dispatcher.dispatch(&builder), Array(builder.view.bytes))
  }

  private func withRecord(_ bytes: [UInt8], _ body: (RecordView) -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    body(try RecordView(validating: UnsafeRawBufferPointer(buffer)))
  }

  @Test func `without handlers the default applies`() {
    let (verdict, _) = verdict([])
    #expect(verdict == Verdict())
  }

  @Test func `every vote is kept in the record with its reason, tier and time`() throws {
    let allow = Voter(.allow)
    let deny = Voter(.deny, error: 13, reason: "not yours")
    let (verdict, bytes) = verdict([
      (allow, allow.handler("a")), (deny, deny.handler("d", plugin: 2)),
    ])
    #expect(verdict.isDenied && verdict.error == 13 && verdict.decidedBy == 2)
    try withRecord(bytes) { record in
      #expect(record.verdict == .deny)
      #expect(record.event.pointee.decided_by == 2)
      #expect(record.voteCount == 2)
      #expect(record.vote(1).err == 13)
      #expect(record.text(record.vote(1).reason) == "not yours")
      #expect(record.vote(0).latency_ns > 0)
      #expect(record.event.pointee.seq > 0)
    }
  }

  @Test func `a shadow vote is recorded and never enforced`() throws {
    let deny = Voter(.deny)
    let (verdict, bytes) = verdict([(deny, deny.handler("d", tier: .observe))])
    #expect(verdict.action == .abstain)
    try withRecord(bytes) { record in
      #expect(record.verdict == .abstain)
      #expect(record.vote(0).action == UInt16(KEMON_DENY))
      #expect(record.vote(0).tier == UInt16(KEMON_TIER_OBSERVE))
    }
  }

  @Test func `the guard's word is final`() {
    let keep = Voter(.allow)
    let deny = Voter(.deny)
    let (verdict, _) = verdict([
      (deny, deny.handler("d")), (keep, keep.handler("g", plugin: 9, tier: .guard)),
    ])
    #expect(verdict.action == .allow)
    #expect(deny.calls.value == 1, "everyone is asked all the same")
  }

  @Test func `a kind that cannot be denied is not`() {
    let deny = Voter(.deny)
    let (verdict, _) = verdict(
      [(deny, deny.handler("d", kinds: [Int(KEMON_KIND_FILE_OPEN)]))],
      kind: Int(KEMON_KIND_FILE_OPEN))
    #expect(!verdict.isDenied)
  }

  @Test(arguments: [VerdictAction.abstain, .allow, .deny])
  func `a failing handler is taken to have voted what it declared`(onFault: VerdictAction) {
    let voter = Voter(.allow, status: -7)
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add([voter.handler("f", onFault: onFault)])
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    #expect(dispatcher.dispatch(&builder).action == onFault)
    #expect(dispatcher.handlerStatistics()[0].faults == 1)
  }

  @Test func `an answer that does not exist, or needs an extension, is a fault`() {
    let dispatcher = Dispatcher(ring: ring)
    let deferring = Voter(.defer)
    let invalid: kemon_handler_fn = { _, _, verdict in
      verdict?.pointee.action = 77
      return 0
    }
    dispatcher.add([
      deferring.handler("defer", onFault: .deny),
      Handler(
        name: "invalid", pluginID: 2, pluginName: "p", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
        onFault: .abstain, function: invalid),
    ])
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    #expect(dispatcher.dispatch(&builder).isDenied)
    #expect(dispatcher.handlerStatistics().map(\.faults) == [1, 1])
  }

  @Test func `a filter keeps events away and counts them`() throws {
    let deny = Voter(.deny)
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add([deny.handler("d", filter: try EventFilter(parsing: "path ^= '/etc/'"))])
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    #expect(dispatcher.dispatch(&builder).isDenied)
    makeOpen("/tmp/x", &builder)
    #expect(!dispatcher.dispatch(&builder).isDenied)
    let statistics = dispatcher.handlerStatistics()[0]
    #expect(statistics.calls == 1 && statistics.filtered == 1 && statistics.denies == 1)
  }

  @Test func `handlers of one kind are called by tier, priority and registration`() {
    let dispatcher = Dispatcher(ring: ring)
    let voters = (0..<4).map { _ in Voter(.abstain) }
    let tokens = dispatcher.add([
      voters[0].handler("late", priority: 5), voters[1].handler("first", priority: -5),
      voters[2].handler("shadow", tier: .observe, priority: -100),
      voters[3].handler("guard", tier: .guard, priority: 100),
    ])
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    dispatcher.dispatch(&builder)
    let order = (0..<4).map { builder.view.vote($0).handler_id }
    #expect(order == [tokens[3], tokens[1], tokens[0], tokens[2]].map(\.id))
  }

  @Test func `a post handler replaces the result`() {
    let replace: kemon_handler_fn = { _, _, verdict in
      guard let verdict else { return -1 }
      return kemon_replace_result(verdict, 0, "let it be")
    }
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add([
      Handler(
        name: "r", pluginID: 1, pluginName: "p", kinds: [EventKind(KEMON_KIND_KEXT_START)],
        function: replace)
    ])
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_KEXT_START))
    #expect(dispatcher.dispatch(&builder).replacement == 0)
  }

  /// The handler's context dies when remove returns: a call that is still inside would crash or be counted.
  @Test func `remove returns after the last call in flight has left`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 256))
    let stop = Counter()
    let threads = (0..<3)
      .map { number in
        WorkerThread(named: "lane \(number)") {
          var builder = RecordBuilder()
          while stop.value == 0 {
            makeOpen("/x", &builder)
            dispatcher.dispatch(&builder)
          }
        }
      }
    var late = 0
    var calls = 0
    for _ in 0..<300 {
      let lifetime = Lifetime()
      let tokens = dispatcher.add([lifetime.handler()])
      while lifetime.calls.value == 0 {}
      dispatcher.remove(tokens)
      lifetime.dead.add(1)
      calls += lifetime.calls.value
      late += lifetime.late.value
    }
    stop.add(1)
    for thread in threads { thread.join() }
    #expect(late == 0)
    #expect(calls >= 300)
  }

  private final class Lifetime: @unchecked Sendable {
    let dead = Counter()
    let late = Counter()
    let calls = Counter()

    func handler() -> Handler {
      Handler(
        name: "l", pluginID: 1, pluginName: "p", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
        function: { context, _, _ in
          guard let context else { return -1 }
          let lifetime = Unmanaged<Lifetime>.fromOpaque(context).takeUnretainedValue()
          lifetime.calls.add(1)
          for _ in 0..<50 where lifetime.dead.value > 0 {
            lifetime.late.add(1)
          }
          return 0
        }, context: Unmanaged.passUnretained(self).toOpaque())
    }
  }
}
