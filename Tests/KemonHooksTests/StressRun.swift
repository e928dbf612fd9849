// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import Glibc
import KemonHooks
import Synchronization

/// One function, threads that call it, and a thread that hooks and unhooks it.
final class StressRun: @unchecked Sendable {
  // Unchecked: the shared memory is atomic, the report is behind a lock.

  private let kind: StressKind
  private let callers: Int
  private let shared: OpaquePointer
  private let report: Mutex<StressReport>
  /// A refusal because a thread cannot be stopped is no failure.
  private let mayBeBusy: Bool

  init?(_ kind: StressKind, callers: Int, mayBeBusy: Bool = false) {
    guard let shared = stress_make() else { return nil }
    self.kind = kind
    self.callers = callers
    self.mayBeBusy = mayBeBusy
    self.shared = shared
    report = Mutex(StressReport(title: "\(kind.rawValue), \(callers) threads"))
  }

  deinit { stress_free(shared) }

  /// Runs so long, with threads beside the callers that return when they are told to stop.
  func run(
    seconds: Double, beside others: Int = 0,
    _ body: @escaping @Sendable (Int, OpaquePointer) -> Void = { _, _ in }
  ) -> StressReport {
    let begin = Self.now()
    let end = begin + UInt64(seconds * 1e9)
    onThreads(callers + 1 + others) { role in
      if role == 0 {
        self.cycle(until: end)
        stress_stop(self.shared)
      } else if role > self.callers {
        body(role - self.callers - 1, self.shared)
      } else {
        let result = stress_call(self.kind.function, self.shared)
        self.report.withLock { $0.add(result) }
      }
    }
    return report.withLock { report in
      report.seconds = Double(Self.now() - begin) / 1e9
      report.pre = stress_pre_count(shared)
      report.post = stress_post_count(shared)
      report.unpaired = stress_unpaired_count(shared)
      report.number = stress_number(shared)
      return report
    }
  }

  /// Puts a hook in for up to 400 µs, again and again.
  private func cycle(until end: UInt64) {
    guard let function = stress_function(kind.function) else { return }
    var random: UInt64 = 88_172_645_463_325_252
    while Self.now() < end {
      do {
        var coming = HookTransaction()
        coming.attach(entry: function, handlers: handlers)
        let begin = Self.now()
        let attached = try coming.commit()
        let arrived = Self.now()
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let leave = arrived + random >> 33 % 400_000
        while Self.now() < leave {}
        var going = HookTransaction()
        going.detach(attached.hooks[0])
        let leaving = Self.now()
        let detached = try going.commit()
        let done = Self.now()
        report.withLock {
          $0.attach.append(arrived - begin)
          $0.detach.append(done - leaving)
          for stop in [attached.stop, detached.stop] where stop.threads > 0 {
            $0.pauses.append(stop.pauseNanoseconds)
            $0.moved += stop.moved
          }
        }
      } catch {
        if mayBeBusy, error.code == .busy { continue }
        report.withLock { $0.failure = error }
        return
      }
    }
  }

  private var handlers: HookHandlers {
    if kind == .allocating {
      return HookHandlers(
        pre: { context, frame in stress_pre_allocating(context, StressRun.scratch(frame)) },
        post: { context, frame in stress_post_allocating(context, StressRun.scratch(frame)) },
        context: UnsafeMutableRawPointer(shared))
    }
    return HookHandlers(
      pre: { context, frame in stress_pre(context, StressRun.scratch(frame)) },
      post: { context, frame in stress_post(context, StressRun.scratch(frame)) },
      context: UnsafeMutableRawPointer(shared))
  }

  static func scratch(
    _ frame: UnsafeMutablePointer<HookFrame>
  ) -> UnsafeMutablePointer<UInt64> {
    let offset = MemoryLayout<HookFrame>.offset(of: \.scratch) ?? 0
    return (UnsafeMutableRawPointer(frame) + offset).assumingMemoryBound(to: UInt64.self)
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// What came of a run.
struct StressReport: Sendable {
  let title: String
  var seconds = 0.0
  var calls: UInt64 = 0
  var wrong: UInt64 = 0
  var added: UInt64 = 0
  var longestGap: UInt64 = 0
  var pre: UInt64 = 0
  var post: UInt64 = 0
  var unpaired: UInt64 = 0
  /// What the retry function counted.
  var number: UInt64 = 0
  /// Nanoseconds that hooks took to come and to go, the stop of all other threads included.
  var attach: [UInt64] = []
  var detach: [UInt64] = []
  /// Of those, how long other threads were stopped, and how many were moved out of the changed bytes.
  var pauses: [UInt64] = []
  var moved = 0
  var failure: HookError?

  init(title: String) { self.title = title }

  var cycles: Int { detach.count }

  mutating func add(_ result: stress_result) {
    calls += result.calls
    wrong += result.wrong
    added &+= result.added
    longestGap = max(longestGap, result.longest_gap)
  }

  /// A line of figures.
  var text: String {
    let rate = Int(Double(cycles) / max(seconds, 1e-9))
    return """
      \(title): \(cycles) cycles (\(rate)/s), \(calls) calls, \(pre) events, \(wrong) wrong; \
      pauses \(Self.distribution(pauses)), \(moved) threads moved; \
      attach \(Self.distribution(attach)); detach \(Self.distribution(detach)); \
      longest gap between two calls \(longestGap / 1000) µs\(failure.map { "; \($0)" } ?? "")
      """
  }

  private static func distribution(_ times: [UInt64]) -> String {
    let sorted = times.sorted()
    guard !sorted.isEmpty else { return "never" }
    let at = { (share: Double) in
      sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / 1000
    }
    let mean = sorted.reduce(0, +) / UInt64(sorted.count) / 1000
    return "mean \(mean) p50 \(at(0.5)) p90 \(at(0.9)) p99 \(at(0.99)) max \(at(1)) µs"
  }
}
