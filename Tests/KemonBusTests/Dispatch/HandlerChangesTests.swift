// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Testing

/// Handlers that come, go, change, sleep and wake while events flow.
@Suite struct HandlerChangesTests {
  private func ask(_ dispatcher: Dispatcher, kind: Int = Int(KEMON_KIND_FILE_OPEN_PRE)) -> Verdict {
    var builder = RecordBuilder()
    makeOpen("/x", kind: kind, &builder)
    return dispatcher.ask(&builder)
  }

  @Test func `a disabled handler is not called until it is enabled`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let deny = Voter(.deny)
    let token = dispatcher.add([deny.handler("d")])[0]
    #expect(ask(dispatcher).isDenied)
    #expect(dispatcher.setEnabled(false, token))
    #expect(!ask(dispatcher).isDenied)
    #expect(dispatcher.handlerStatistics().map(\.isEnabled) == [false])
    #expect(dispatcher.handlerStatistics().map(\.isActive) == [true])
    #expect(dispatcher.setEnabled(true, token))
    #expect(ask(dispatcher).isDenied)
    #expect(deny.calls.value == 2)
    dispatcher.remove([token])
    #expect(!dispatcher.setEnabled(true, token), "what is gone cannot be enabled")
  }

  @Test func `a replaced handler keeps its token, its place and its counts`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let (old, new) = (Voter(.deny), Voter(.allow))
    let token = dispatcher.add([old.handler("h")])[0]
    _ = ask(dispatcher)
    #expect(dispatcher.replace(token, with: new.handler("h2", plugin: 5)))
    #expect(ask(dispatcher).action == .allow)
    let statistics = dispatcher.handlerStatistics()
    #expect(statistics.map(\.token) == [token] && statistics.map(\.calls) == [2])
    #expect(statistics.map(\.name) == ["h2"] && statistics.map(\.pluginID) == [5])
    #expect(old.calls.value == 1 && new.calls.value == 1)
    #expect(!dispatcher.replace(HandlerToken.unknown(dispatcher), with: new.handler("x")))
  }

  /// Every event is answered by the old handler or the new one, never by both or none.
  @Test func `events that flow see the one handler or the other`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 256))
    let (one, two) = (Voter(.deny, error: 13), Voter(.deny, error: 2))
    let token = dispatcher.add([one.handler("h")])[0]
    let stop = Counter()
    let (asked, wrong) = (Counter(), Counter())
    let threads = (0..<2)
      .map { _ in
        WorkerThread(named: "lane") {
          var builder = RecordBuilder()
          while stop.value == 0 {
            makeOpen("/x", &builder)
            let verdict = dispatcher.ask(&builder)
            asked.add(1)
            if builder.view.voteCount != 1 || !(verdict.error == 13 || verdict.error == 2) {
              wrong.add(1)
            }
          }
        }
      }
    for turn in 0..<200 {
      dispatcher.replace(token, with: (turn % 2 == 0 ? two : one).handler("h"))
    }
    stop.add(1)
    for thread in threads { thread.join() }
    #expect(wrong.value == 0)
    #expect(one.calls.value + two.calls.value == asked.value)
    #expect(dispatcher.handlerStatistics()[0].calls == UInt64(asked.value))
  }

  @Test func `calls that may deny are timed always, others now and then`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let voter = Voter(.abstain)
    dispatcher.add([
      voter.handler("pre"), voter.handler("post", kinds: [Int(KEMON_KIND_FILE_DELETE)]),
    ])
    for _ in 0..<640 {
      _ = ask(dispatcher)
      _ = ask(dispatcher, kind: Int(KEMON_KIND_FILE_DELETE))
    }
    let statistics = dispatcher.handlerStatistics()
    #expect(statistics.map(\.calls) == [640, 640])
    #expect(statistics.map(\.timedCalls) == [640, 10])
    #expect(statistics.allSatisfy { $0.timedNanoseconds > 0 })
  }

  @Test func `an answer of one handler never shines through into the next one's`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let meddler: kemon_handler_fn = { _, _, verdict in
      // Abstains, and leaves behind what a denial would use.
      verdict?.pointee.err = 77
      verdict?.pointee.reason_code = 9
      return 0
    }
    let careless: kemon_handler_fn = { _, _, verdict in
      verdict?.pointee.action = UInt16(KEMON_DENY)
      return 0
    }
    let kinds = [EventKind(KEMON_KIND_FILE_OPEN_PRE)]
    dispatcher.add([
      Handler(name: "m", pluginID: 1, pluginName: "p", kinds: kinds, function: meddler),
      Handler(name: "c", pluginID: 2, pluginName: "p", kinds: kinds, function: careless),
    ])
    let verdict = ask(dispatcher)
    #expect(verdict.error == Verdict.defaultError && verdict.reasonCode == 0)
  }

  /// More threads than there are lines for counters, and numbers of threads that end are used again.
  @Test func `every call of many threads is counted`() {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    let voter = Voter(.abstain)
    dispatcher.add([voter.handler("h")])
    for _ in 0..<3 {
      let threads = (0..<100)
        .map { _ in
          WorkerThread(named: "lane") {
            var builder = RecordBuilder(capacity: 1024)
            for _ in 0..<20 {
              makeOpen("/x", &builder)
              dispatcher.ask(&builder)
            }
          }
        }
      for thread in threads { thread.join() }
    }
    #expect(dispatcher.handlerStatistics()[0].calls == 6000)
    #expect(voter.calls.value == 6000)
  }

  /// An event that happens inside a handler is asked about like any other.
  @Test func `a handler's own event is dispatched inside it`() {
    final class Nested: @unchecked Sendable {
      let dispatcher = Dispatcher(ring: EventRing(slots: 16))
      let depth = Counter()
    }
    let nested = Nested()
    nested.dispatcher.add([
      Handler(
        name: "n", pluginID: 1, pluginName: "p", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
        function: { context, _, verdict in
          guard let context, let verdict else { return -1 }
          let nested = Unmanaged<Nested>.fromOpaque(context).takeUnretainedValue()
          nested.depth.add(1)
          guard nested.depth.value < 3 else { return kemon_deny(verdict, 13, "deep enough") }
          var builder = RecordBuilder(capacity: 1024)
          makeOpen("/inner", &builder)
          let inner = nested.dispatcher.ask(&builder)
          return inner.isDenied ? kemon_deny(verdict, 2, "inner denied") : 0
        }, context: Unmanaged.passUnretained(nested).toOpaque())
    ])
    #expect(ask(nested.dispatcher).error == 2)
    // The thread is outside again: a writer does not wait for it.
    nested.dispatcher.remove(nested.dispatcher.handlerStatistics().map(\.token))
    #expect(nested.depth.value == 3)
  }
}

extension HandlerToken {
  /// A token that was given and taken back.
  static func unknown(_ dispatcher: Dispatcher) -> HandlerToken {
    let token = dispatcher.add([Voter(.abstain).handler("gone", kinds: [])])[0]
    dispatcher.remove([token])
    return token
  }
}
