// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform

/// Calls functions of plugins when the event clock has come to a time.
///
/// Live, a thread waits for the times. During replay the clock is moved by the player, and what is due until the new
/// time is called there and then, in the order of the times: the same recording makes the same calls.
final class EventTimers: Sendable {
  // Unchecked: the context belongs to the plugin, which must be ready for a call from any thread.
  /// A function of a plugin.
  struct Call: @unchecked Sendable {
    let function: kemon_timer_fn
    let context: UnsafeMutableRawPointer?
    /// Whose function it is, for crash reports.
    let pluginID: UInt32
  }

  /// How many a plugin may have at a time.
  static let countLimit = 256

  fileprivate struct Entry {
    let id: UInt64
    let owner: UInt32
    var due: UInt64
    let period: UInt64
    let call: Call
    /// Calls in the step that is being done.
    var burst: (step: UInt64, count: UInt32) = (0, 0)
  }

  fileprivate struct State {
    /// The next one is the last.
    var entries: [Entry] = []
    /// Armed before a replay has begun: their `due` counts from its first event.
    var waiting: [Entry] = []
    /// Plugins that have been started.
    var active: Set<UInt32> = []
    var nextID: UInt64 = 1
    var step: UInt64 = 0
    var running: (id: UInt64, owner: UInt32, thread: pthread_t)?
    /// The latest time of a replay; nil before its first event.
    var virtualNow: UInt64?
    var thread: WorkerThread?
    var isClosing = false
  }

  private let clock: EventClock
  private let mode: PluginMode
  private let state = PosixLock(State())
  /// Signalled when a call has ended or there is something new to wait for.
  private let bell = FutexWord()

  init(clock: EventClock, mode: PluginMode) {
    self.clock = clock
    self.mode = mode
    guard mode == .replay else { return }
    clock.onAlarm { [weak self] in self?.advance(to: $0) }
    // The first event tells what time it is.
    clock.setAlarm(0)
  }

  // MARK: Timers

  /// Adds a timer and gives its id; nil when the plugin has too many.
  func arm(_ call: Call, of owner: UInt32, delay: UInt64, period: UInt64) -> UInt64? {
    let id = state.withLock { state -> UInt64? in
      let count =
        state.entries.count { $0.owner == owner } + state.waiting.count { $0.owner == owner }
      guard count < Self.countLimit else { return nil }
      let id = state.nextID
      state.nextID += 1
      // In a replay time stands still during a call: a call that arms the next one at once would never end.
      let isOwnCall = mode == .replay && state.running?.thread == pthread_self()
      let delay = isOwnCall ? max(delay, UInt64(KEMON_TIMER_PERIOD_MIN)) : delay
      var entry = Entry(id: id, owner: owner, due: delay, period: period, call: call)
      if mode == .replay, state.virtualNow == nil {
        state.waiting.append(entry)
      } else {
        entry.due = clock.now().addingSaturating(delay)
        state.insert(entry)
        if mode == .replay { clock.setAlarm(state.nextDue) }
      }
      if mode == .run, state.thread == nil {
        state.isClosing = false
        state.thread = WorkerThread(named: "timers") { [unowned self] in run() }
      }
      return id
    }
    if mode == .run { bell.signal() }
    return id
  }

  /// Removes a timer; returns when a running call of it has left, unless it is called from there.
  ///
  /// - Returns: false when it had ended already.
  func cancel(_ id: UInt64, of owner: UInt32) -> Bool {
    let wasThere = state.withLock { state in
      let count = state.entries.count + state.waiting.count
      state.entries.removeAll { $0.id == id && $0.owner == owner }
      state.waiting.removeAll { $0.id == id && $0.owner == owner }
      return state.entries.count + state.waiting.count < count
    }
    let wasRunning = waitForCall { $0.id == id && $0.owner == owner }
    return wasThere || wasRunning
  }

  /// Lets the timers of a plugin fire.
  func start(_ owner: UInt32) {
    state.withLock { state in
      _ = state.active.insert(owner)
      if mode == .replay, state.virtualNow != nil { clock.setAlarm(state.nextDue) }
    }
    bell.signal()
  }

  /// Keeps the timers of a plugin from firing until it is started again; returns when no call of it runs.
  func pause(_ owner: UInt32) {
    state.withLock { _ = $0.active.remove(owner) }
    waitForCall { $0.owner == owner }
  }

  /// Removes all timers of a plugin; returns when no call of it runs.
  func stop(_ owner: UInt32) {
    state.withLock { state in
      state.active.remove(owner)
      state.entries.removeAll { $0.owner == owner }
      state.waiting.removeAll { $0.owner == owner }
    }
    waitForCall { $0.owner == owner }
  }

  /// Ends the thread; the next timer starts another one.
  func close() {
    let thread = state.withLock { state in
      state.isClosing = true
      return state.thread.take()
    }
    bell.signal()
    thread?.join()
  }

  /// Waits while a call runs that is meant, on another thread.
  @discardableResult
  private func waitForCall(
    _ isMeant: ((id: UInt64, owner: UInt32, thread: pthread_t)) -> Bool
  ) -> Bool {
    var hasRun = false
    while true {
      let value = bell.value
      let isRunning = state.withLock { state in
        guard let running = state.running, isMeant(running) else { return false }
        hasRun = true
        return running.thread != pthread_self()
      }
      guard isRunning else { return hasRun }
      bell.wait(from: value, nanoseconds: 100_000_000)
    }
  }

  // MARK: Firing

  /// A replay moves the clock: calls what is due until then.
  private func advance(to time: UInt64) {
    state.withLock { state in
      if state.virtualNow == nil {
        for var entry in state.waiting {
          entry.due = time.addingSaturating(entry.due)
          state.insert(entry)
        }
        state.waiting = []
      }
      // A recording need not be in order of time; time does not go back.
      state.virtualNow = max(state.virtualNow ?? 0, time)
    }
    fire(until: time)
    state.withLock { clock.setAlarm($0.nextDue) }
  }

  private func run() {
    while true {
      let value = bell.value
      fire(until: clock.now())
      let due = state.withLock { $0.isClosing ? nil : $0.nextDue }
      guard let due else { return }
      let now = clock.now()
      // The system's clock may be set: look at it now and then.
      if due > now { bell.wait(from: value, nanoseconds: min(due - now, 1_000_000_000)) }
    }
  }

  private func fire(until time: UInt64) {
    state.withLock { $0.step += 1 }
    while let (due, call) = state.withLock({ $0.takeNext(until: time) }) {
      if mode == .replay { clock.set(due) }
      HandlerCrumb.current.during("timer", ofPlugin: call.pluginID) {
        call.function(call.context, due)
      }
      state.withLock { $0.running = nil }
      bell.signal()
    }
  }
}

extension EventTimers.State {
  /// When the next timer of a started plugin is due; never when there is none.
  fileprivate var nextDue: UInt64 {
    entries.last { active.contains($0.owner) }?.due ?? .max
  }

  /// Puts a timer in its place: by time, then by age.
  fileprivate mutating func insert(_ entry: EventTimers.Entry) {
    let index = entries.firstIndex { ($0.due, $0.id) < (entry.due, entry.id) }
    entries.insert(entry, at: index ?? entries.endIndex)
  }

  /// Takes the next timer that is due, and says that its call runs on this thread.
  fileprivate mutating func takeNext(until time: UInt64) -> (UInt64, EventTimers.Call)? {
    guard !isClosing, let index = entries.lastIndex(where: { active.contains($0.owner) }),
      entries[index].due <= time
    else { return nil }
    var entry = entries.remove(at: index)
    let due = entry.due
    running = (entry.id, entry.owner, pthread_self())
    if entry.period > 0 {
      entry.burst = (step, entry.burst.step == step ? entry.burst.count + 1 : 1)
      let behind = time - due
      let periods =
        entry.burst.count < UInt32(KEMON_TIMER_BURST) ? 1 : behind / entry.period + 1
      entry.due = due.addingSaturating(entry.period.multipliedSaturating(periods))
      insert(entry)
    }
    return (due, entry.call)
  }
}

extension UInt64 {
  fileprivate func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  fileprivate func multipliedSaturating(_ other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
