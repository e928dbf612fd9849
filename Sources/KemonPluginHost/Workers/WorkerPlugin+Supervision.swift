// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization

/// The thread that starts the worker's processes and waits for their ends.
extension WorkerPlugin {
  /// How often a process is looked at that goes on.
  private static let look: Int32 = 50

  /// Starts the thread and returns the first process.
  ///
  /// The thread lives as long as the plugin: the kernel ends a worker with the thread that started it.
  func startSupervisor() throws(WorkerFailure) -> WorkerProcess {
    let first = FirstProcess()
    let thread = WorkerThread(named: "worker \(name)") { self.supervise(first) }
    state.withLock { $0.supervisor = thread }
    return try first.wait()
  }

  private func supervise(_ first: FirstProcess) {
    var book = StrikeBook(limits.strikes)
    var process: WorkerProcess
    do throws(WorkerFailure) {
      process = try launch()
      state.withLock { $0.link = process }
      first.set(.success(process))
    } catch {
      first.set(.failure(error))
      return
    }
    while true {
      let reason = watch(process)
      let end = process.reap()
      let (isOver, isAccident) = state.withLock { state in
        let rest = process.feed.close()
        state.report.lost += rest.count
        // The other handlers of the last one may still be to come.
        if let last = rest.last { state.lastLost = last }
        state.link = nil
        state.overdue = [:]
        // One that ends before it runs is a plugin that could not be created or started: its host knows.
        return (state.isEnding || !state.hasRun, state.hasRun && !state.isAsked)
      }
      if isAccident { bury(process, end, reason) }
      if isOver { return }
      guard let next = replace(&book) else { return }
      process = next
    }
  }

  private func launch() throws(WorkerFailure) -> WorkerProcess {
    try WorkerProcess(plan, named: name, output: services.output, log: services.log)
  }

  // MARK: While it lives

  /// Returns when the process has ended; with the reason, when this is why.
  private func watch(_ process: WorkerProcess) -> String? {
    var nextCheckpoint = EventClock.monotonic() + limits.checkpoint
    var standstill = Standstill()
    while !process.waitForEnd(milliseconds: Self.look) {
      let now = EventClock.monotonic()
      if let lane = hangingLane(process, now) {
        process.kill()
        _ = process.waitForEnd(milliseconds: -1)
        return "did not answer for \((now - lane.since) / 1_000_000) ms beyond its time"
      }
      if takesTurns, process.feed.pending > 0,
        standstill.hasLasted(limits.stopTime, at: process.feed.taken)
      {
        process.kill()
        _ = process.waitForEnd(milliseconds: -1)
        return "did not go on with what it observes, and no other handler had its turn"
      }
      // Those who end close their descriptors a moment earlier.
      if process.hasClosedItsEnds, !process.waitForEnd(milliseconds: 500) {
        process.kill()
        _ = process.waitForEnd(milliseconds: -1)
        return "has closed its descriptors"
      }
      if now >= nextCheckpoint {
        checkpoint()
        nextCheckpoint = EventClock.monotonic() + limits.checkpoint
      }
    }
    return nil
  }

  /// Whether a handler that does not come back keeps the others from being called, too.
  private var takesTurns: Bool {
    state.withLock { Int32($0.concurrency) != KEMON_CONC_FREE }
  }

  /// A lane whose worker has been at one question for far too long.
  private func hangingLane(_ process: WorkerProcess, _ now: UInt64) -> Overdue? {
    for (number, overdue) in state.withLock({ $0.overdue }) {
      guard overdue.process === process, !process.lanes[number].hasFinished(overdue.number) else {
        state.withLock { state in
          if state.overdue[number] == overdue { state.overdue[number] = nil }
        }
        continue
      }
      if now - min(overdue.since, now) >= limits.grace { return overdue }
    }
    return nil
  }

  // MARK: When it has ended

  /// Tells how a process ended, and what it was at.
  private func bury(_ process: WorkerProcess, _ end: WorkerProcess.End, _ reason: String?) {
    let places = process.lanes.compactMap(\.activity)
      .map { activity in
        let handler = handlerOf(activity)?.name ?? "?"
        return "in handler \"\(handler)\" at \(activity)"
      }
    let story =
      [reason ?? end.description, places.joined(separator: ", ")].filter { !$0.isEmpty }
      .joined(separator: " ")
    state.withLock { state in
      state.report.deaths += 1
      state.report.lastDeath = story
    }
    services.log.log(
      .error, source: "host", "plugin \(name): its worker \(process.pid) \(story)")
  }

  /// Starts processes until one takes the place of the last; nil when the plugin is to end.
  private func replace(_ book: inout StrikeBook) -> WorkerProcess? {
    var delay = limits.firstDelay
    while true {
      let pause = book.strike(at: EventClock.monotonic())
      if let pause {
        state.withLock { state in
          state.report.isQuarantined = true
          state.report.quarantines += 1
        }
        services.log.log(
          .error, source: "host",
          "plugin \(name): its worker ended \(book.rules.limit) times; it is left alone for "
            + "\(pause / 1_000_000) ms")
      }
      guard rest(pause ?? delay) else { return nil }
      delay = min(delay * 2, limits.strikes.longestPause)
      state.withLock { $0.report.isQuarantined = false }
      do throws(WorkerFailure) {
        return try successor()
      } catch {
        if state.withLock({ $0.isEnding }) { return nil }
        services.log.log(
          .error, source: "host", "plugin \(name): its worker cannot be started again: \(error)")
      }
    }
  }

  /// Starts a process and lets it take the place of the last; nil when the plugin is to end.
  private func successor() throws(WorkerFailure) -> WorkerProcess? {
    let process = try launch()
    do throws(WorkerFailure) {
      // Whoever ends the plugin need not wait until it is ready: it finds it here.
      let isWanted = state.withLock { state in
        if !state.isEnding { state.successor = process }
        return !state.isEnding
      }
      if isWanted { try revive(process) }
    } catch {
      state.withLock { $0.successor = nil }
      process.kill()
      _ = process.reap()
      throw error
    }
    let isWanted = state.withLock { state in
      state.successor = nil
      if !state.isEnding { state.link = process }
      return !state.isEnding
    }
    if isWanted { return process }
    process.kill()
    _ = process.reap()
    return nil
  }

  /// Waits; false when the plugin is to end.
  private func rest(_ nanoseconds: UInt64) -> Bool {
    let end = EventClock.monotonic() + nanoseconds
    while true {
      let ticket = wake.value
      if state.withLock({ $0.isEnding }) { return false }
      let now = EventClock.monotonic()
      guard now < end else { return true }
      wake.wait(from: ticket, nanoseconds: end - now)
    }
  }
}

/// The first process of a supervisor, handed to the thread that waits for it.
private final class FirstProcess: Sendable {
  private let result = PosixLock<Result<WorkerProcess, WorkerFailure>?>(nil)
  private let word = FutexWord()

  func set(_ result: Result<WorkerProcess, WorkerFailure>) {
    self.result.withLock { $0 = result }
    word.signal()
  }

  func wait() throws(WorkerFailure) -> WorkerProcess {
    while true {
      let ticket = word.value
      if let result = result.withLock({ $0 }) { return try result.get() }
      word.wait(from: ticket, nanoseconds: 1_000_000_000)
    }
  }
}
