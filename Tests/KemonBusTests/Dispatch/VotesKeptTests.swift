// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

/// Every vote is kept: who, what, why, how long.
@Suite final class VotesKeptTests {
  /// A kind that cannot be denied, and one that can.
  private static let kinds = [Int(KEMON_KIND_FILE_DELETE), Int(KEMON_KIND_FILE_OPEN_PRE)]

  private let dispatcher = Dispatcher(ring: EventRing(slots: 16))
  private var builder = RecordBuilder()

  /// Asks once; the record is valid.
  private func ask(_ kind: Int) throws -> RecordView {
    makeOpen("/etc/hosts", kind: kind, &builder)
    dispatcher.ask(&builder)
    return try RecordView(validating: builder.view.bytes)
  }

  private func votes(of record: RecordView) -> [kemon_vote] {
    (0..<record.voteCount).map { record.vote($0) }
  }

  @Test(arguments: kinds, [1, 2, 3, 40])
  func `who abstains without a word leaves a vote`(kind: Int, count: Int) throws {
    let silent = Voter(.abstain)
    let tokens = dispatcher.add(
      (0..<count).map { silent.handler("h\($0)", plugin: UInt32($0 + 7), kinds: [kind]) })
    for _ in 0..<200 {
      let record = try ask(kind)
      let votes = votes(of: record)
      #expect(votes.map(\.handler_id) == tokens.map(\.id))
      #expect(votes.map(\.plugin_id) == (0..<count).map { UInt32($0 + 7) })
      #expect(votes.allSatisfy { $0.action == 0 && $0.err == 0 && $0.reason.off == 0 })
      #expect(votes.allSatisfy { $0.tier == UInt16(KEMON_TIER_ENFORCE) })
      #expect(record.verdict == .abstain && record.event.pointee.decided_by == 0)
      #expect(record.view(of: kemon_file.self)?.path.string == "/etc/hosts")
    }
    #expect(silent.calls.value == 200 * count)
  }

  @Test(arguments: kinds, [0, 1, 2])
  func `one who says something does not hide the silent ones`(
    kind: Int, place: Int
  ) throws {
    let (silent, talker) = (Voter(.abstain), Voter(.abstain, reason: "seen"))
    dispatcher.add(
      (0..<3).map { ($0 == place ? talker : silent).handler("h\($0)", kinds: [kind]) })
    for _ in 0..<200 {
      let record = try ask(kind)
      let reasons = votes(of: record).map { record.text($0.reason) }
      #expect(reasons == (0..<3).map { $0 == place ? "seen" : "" })
    }
  }

  /// A code is a reason, and so is what a handler wrote beside its abstention of no consequence.
  @Test func `a number is kept like a reason in words`() throws {
    let silent = Voter(.abstain)
    let coded: kemon_handler_fn = { _, _, verdict in
      verdict?.pointee.reason_code = 4711
      verdict?.pointee.allow_mask = 3
      return 0
    }
    let kind = Self.kinds[0]
    dispatcher.add([
      silent.handler("s", kinds: [kind]),
      Handler(
        name: "c", pluginID: 2, pluginName: "p", kinds: [EventKind(kind)], function: coded),
      silent.handler("t", kinds: [kind]),
    ])
    for _ in 0..<200 {
      #expect(votes(of: try ask(kind)).map(\.reason_code) == [0, 4711, 0])
    }
  }

  @Test func `calls that are timed say how long they took`() throws {
    let silent = Voter(.abstain)
    let kind = Self.kinds[0]
    dispatcher.add((0..<3).map { silent.handler("h\($0)", kinds: [kind]) })
    var timed: [Int] = []
    for event in 0..<640 {
      for (index, vote) in votes(of: try ask(kind)).enumerated() where vote.latency_ns > 0 {
        timed.append(index)
        #expect(event % 64 == 0)
      }
    }
    #expect(timed == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
    #expect(dispatcher.handlerStatistics().map(\.timedCalls) == [4, 3, 3])
  }

  /// A handler that causes an event of the same kind gets its votes, too.
  @Test func `an event inside a handler has votes of its own`() throws {
    final class Nest: @unchecked Sendable {
      let dispatcher: Dispatcher
      var depth = 0
      var counts: [Int] = []
      init(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }
    }
    let nest = Nest(dispatcher)
    let kind = Self.kinds[0]
    let silent = Voter(.abstain)
    let function: kemon_handler_fn = { context, _, _ in
      guard let context else { return -1 }
      let nest = Unmanaged<Nest>.fromOpaque(context).takeUnretainedValue()
      guard nest.depth == 0 else { return 0 }
      nest.depth = 1
      defer { nest.depth = 0 }
      var builder = RecordBuilder()
      makeOpen("/inner", kind: VotesKeptTests.kinds[0], &builder)
      nest.dispatcher.ask(&builder)
      nest.counts.append(builder.view.voteCount)
      return 0
    }
    dispatcher.add([
      Handler(
        name: "n", pluginID: 1, pluginName: "p", kinds: [EventKind(kind)], function: function,
        context: Unmanaged.passUnretained(nest).toOpaque()),
      silent.handler("s", kinds: [kind]),
    ])
    for _ in 0..<100 { #expect(try ask(kind).voteCount == 2) }
    #expect(nest.counts == Array(repeating: 2, count: 100))
    withExtendedLifetime(nest) {}
  }
}
