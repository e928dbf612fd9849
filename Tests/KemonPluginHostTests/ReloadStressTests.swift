// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Synchronization
import Testing

@testable import KemonPluginHost

/// Reloads under load, in a process of their own, whose memory and files are counted.
///
/// KEMON_STRESS_RELOADS says how many; `make stress-reload` does ten thousand.
@Suite(.serialized) struct ReloadStressTests {
  private static let reloads =
    ProcessInfo.processInfo.environment["KEMON_STRESS_RELOADS"].flatMap(Int.init) ?? 200

  @Test(.timeLimit(.minutes(10)))
  func `every event is voted on by one generation and seen once`() throws {
    if let alone = try Command.runAlone("ReloadStressTests") {
      #expect(alone.status == 0, "\(alone.text)")
      for line in alone.text.split(separator: "\n") where line.hasPrefix("reload ") { print(line) }
      return
    }
    try run(named: "unchanged", reloads: Self.reloads, limit: 32) { _, _ in }
    // What follows the sections of a library says nothing, but makes another file of it.
    let file = try Fixtures.build("generation")
    let size = try Data(contentsOf: URL(filePath: file)).count
    try run(
      named: "changed", reloads: max(10, Self.reloads / 20), limit: Double(size) / 1024 + 96
    ) { test, number in
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: file))) + Array("\(number)".utf8)
      let next = try test.folder.write(bytes, to: "next", mode: 0o755)
      rename(next, test.folder.file("generation.so"))
    }
  }

  /// - Parameters:
  ///   - limit: KiB that a generation may cost.
  ///   - prepare: called before each reload with its number.
  private func run(
    named name: String, reloads: Int, limit: Double, _ prepare: (TestHost, Int) throws -> Void
  ) throws {
    let test = try TestHost()
    try test.put()
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    let witness = try Witness(test.ring)
    let stop = Flag()
    let producers = (0..<2).map { index in
      WorkerThread(named: "events \(index)") { [dispatcher = test.dispatcher] in
        var builder = RecordBuilder()
        while !stop.isSet {
          builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
          builder.setPayload(
            kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/tmp/x")))
          dispatcher.dispatch(&builder)
        }
      }
    }
    // The first ones fill tables and pools that stay.
    let warmUp = reloads / 10
    var before = Usage()
    let start = EventClock.monotonic()
    for number in 1...reloads {
      try prepare(test, number)
      try test.host.reload("generation", trialEvents: number % 3 == 0 ? 0 : 20)
      if number == warmUp { before = Usage() }
    }
    let seconds = Double(EventClock.monotonic() - start) / 1e9
    let after = Usage()
    stop.set()
    for producer in producers { producer.join() }
    test.host.stop()
    witness.stop()

    let events = test.ring.published
    #expect(witness.events == events)
    #expect(witness.wrong == 0, "events without exactly one vote of a generation that there is")
    #expect(witness.generations > 1)
    #expect(witness.lastGeneration <= UInt64(reloads + 1))
    let last = test.collector.lines.last
    #expect(last == "1.0.0 generation \(reloads + 1) saw \(events) wrong 0")
    let voters = test.dispatcher.handlerStatistics()
    #expect(voters.map(\.calls) == [events])
    #expect(test.host.observerAccounts.map(\.delivered) == [events])
    let isBalanced = test.host.observerAccounts.allSatisfy { $0.isBalanced }
    #expect(isBalanced)

    let cost = Double(after.residentKiB - before.residentKiB) / Double(max(1, reloads - warmUp))
    print(
      "reload \(name): \(reloads) reloads, \(events) events, \(witness.generations) generations "
        + "voted, \(Int(seconds * 1e6) / reloads) us and \(Int(cost * 1000)) B/1000 KiB each, "
        + "files \(before.files) -> \(after.files)")
    // Sanitizers keep what was freed.
    #expect(cost < limit || Sanitizer.isThere, "KiB for each generation")
    #expect(after.files <= before.files + 4)
  }

  /// Reads every event and its votes.
  private final class Witness: Sendable {
    private let subscription: Subscription
    private let isOver = Flag()
    private let counts: Counts
    private let thread: WorkerThread

    private final class Counts: Sendable {
      let events = Atomic<UInt64>(0)
      let wrong = Atomic<UInt64>(0)
      let generations = Atomic<UInt64>(0)
      let last = Atomic<UInt64>(0)
    }

    init(_ ring: EventRing) throws {
      let subscription = try ring.subscribe(named: "witness", overflow: .block)
      let (isOver, counts) = (isOver, Counts())
      self.subscription = subscription
      self.counts = counts
      thread = WorkerThread(named: "witness") {
        var seen: Set<UInt32> = []
        var isLast = false
        while true {
          // What was published before the end is there when the end is seen.
          let isEnd = isOver.isSet
          let taken = subscription.drain { record in
            let isVoted = record.voteCount == 1 && record.vote(0).action == UInt16(KEMON_ALLOW)
            let generation = isVoted ? record.vote(0).reason_code : 0
            if generation == 0 { counts.wrong.add(1, ordering: .relaxed) }
            seen.insert(generation)
            counts.events.add(1, ordering: .relaxed)
            let last = max(counts.last.load(ordering: .relaxed), UInt64(generation))
            counts.last.store(last, ordering: .relaxed)
            return true
          }
          isLast = isEnd && taken == 0
          if isLast { break }
          if taken == 0 { subscription.wait(milliseconds: 20) }
        }
        counts.generations.store(UInt64(seen.count), ordering: .relaxed)
      }
    }

    func stop() {
      isOver.set()
      thread.join()
      subscription.cancel()
    }

    var events: UInt64 { counts.events.load(ordering: .relaxed) }
    var wrong: UInt64 { counts.wrong.load(ordering: .relaxed) }
    var generations: UInt64 { counts.generations.load(ordering: .relaxed) }
    var lastGeneration: UInt64 { counts.last.load(ordering: .relaxed) }
  }

  /// What the process has.
  private struct Usage {
    let residentKiB: Int
    let files: Int

    init() {
      let words = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
      residentKiB = (words.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4
      files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }
  }
}
