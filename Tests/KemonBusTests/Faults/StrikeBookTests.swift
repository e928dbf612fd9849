// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonTestSupport
import Testing

/// How many failures are too many, and how long that is remembered.
@Suite struct StrikeBookTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func `the third strike within a minute begins a pause of a second`() {
    var book = StrikeBook()
    #expect(book.strike(at: 10 * Self.second) == nil)
    #expect(book.strike(at: 20 * Self.second) == nil)
    #expect(book.strike(at: 70 * Self.second) == Self.second)
    #expect(book.isPaused(at: 71 * Self.second - 1))
    #expect(!book.isPaused(at: 71 * Self.second))
  }

  @Test func `strikes that are further apart are forgotten`() {
    var book = StrikeBook()
    for minute: UInt64 in 1...100 { #expect(book.strike(at: minute * 31 * Self.second) == nil) }
    #expect(book.total == 100 && book.pauses == 0)
  }

  @Test func `pauses double up to the longest, and begin anew after a good minute`() {
    var book = StrikeBook()
    var now = 100 * Self.second
    var lengths: [UInt64] = []
    for _ in 0..<40 {
      if let pause = book.strike(at: now) {
        lengths.append(pause / Self.second)
        now += pause
      }
    }
    #expect(lengths.prefix(8) == [1, 2, 4, 8, 16, 32, 60, 60])
    now += 61 * Self.second
    _ = book.strike(at: now)
    _ = book.strike(at: now)
    #expect(book.strike(at: now) == Self.second)
  }

  @Test func `a reset forgets everything`() {
    var book = StrikeBook()
    for _ in 0..<3 { _ = book.strike(at: 5) }
    #expect(book.isPaused(at: 6))
    book.reset()
    #expect(book == StrikeBook())
  }

  /// The same rules, written down naively: every strike is kept.
  private struct Model {
    let rules: StrikeBook.Rules
    var strikes: [UInt64] = []
    var end: UInt64 = 0
    var last: UInt64 = 0

    mutating func strike(at now: UInt64) -> UInt64? {
      strikes.append(now)
      let count = strikes.count { now - $0 <= rules.window }
      guard count >= rules.limit, now >= end else { return nil }
      let isSoon = last > 0 && now <= end + rules.window
      last = isSoon ? min(last * 2, rules.longestPause) : rules.firstPause
      end = now + last
      return last
    }
  }

  @Test(arguments: 0..<64)
  func `random strikes are judged as by the plain rules`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let first = UInt64.random(in: 1...20, using: &random)
    let rules = StrikeBook.Rules(
      limit: Int.random(in: 1...6, using: &random),
      window: UInt64.random(in: 1...200, using: &random), firstPause: first,
      longestPause: UInt64.random(in: first...300, using: &random))
    var book = StrikeBook(rules)
    var model = Model(rules: rules)
    var now: UInt64 = 1
    for _ in 0..<2000 {
      now += UInt64.random(in: 0...1, using: &random) == 0 ? 0 : .random(in: 0...90, using: &random)
      guard Bool.random(using: &random) else {
        #expect(book.isPaused(at: now) == (now < model.end))
        continue
      }
      let pause = book.strike(at: now)
      #expect(pause == model.strike(at: now), "at \(now) by \(rules)")
      if let pause { #expect((rules.firstPause...rules.longestPause).contains(pause)) }
    }
    #expect(book.total == UInt64(model.strikes.count) && book.pauses > 0)
  }

  @Test func `a clock that goes back neither ends in a trap nor counts what has not happened`() {
    var book = StrikeBook()
    _ = book.strike(at: .max)
    _ = book.strike(at: .max - 1)
    #expect(book.strike(at: 3) == nil)
    _ = book.strike(at: 4)
    #expect(book.strike(at: 5) == Self.second)
    var end = StrikeBook(StrikeBook.Rules(limit: 1))
    #expect(end.strike(at: .max - 1) == Self.second && end.pausedUntil == .max)
  }
}
