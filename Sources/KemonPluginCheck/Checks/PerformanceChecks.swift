// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What an event costs.
enum PerformanceChecks {
  static let all = [event]

  /// Calls that are timed together: the clock costs as much as a handler.
  private static let batch = 16

  static let event = Check(
    "perf.event", "a handler that votes stays within its budget", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run(mode: KEMON_MODE_BENCH)
    defer { probe.end() }
    let offers = probe.offers(8).filter { !$0.handler.isObserver }
    guard !offers.isEmpty else { throw .skipped("no handler votes") }
    var times: [UInt64] = []
    let end = ThreadClock.now() + 200_000_000
    var next = 0
    while times.count < 100 || (times.count < 20_000 && ThreadClock.now() < end) {
      let offer = offers[next % offers.count]
      next += 1
      let start = ThreadClock.now()
      for _ in 0..<batch { Probe.callOnly(offer) }
      times.append((ThreadClock.now() - start) / UInt64(batch))
    }
    times.sort()
    let (half, most) = (times[times.count / 2], times[times.count * 99 / 100])
    let text = "p50 \(half) ns, p99 \(most) ns of processor time for an event"
    guard half <= subject.budget else {
      throw .failed("\(text); the budget is \(subject.budget) ns")
    }
    return text
  }
}
