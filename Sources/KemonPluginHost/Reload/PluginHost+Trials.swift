// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonPlatform

/// A new generation whose first events are watched, and the one that comes back when they go wrong.
struct PendingTrial {
  let newer: LoadedPlugin
  let older: LoadedPlugin
  let trial: Trial
}

extension PluginHost {
  /// Decides about every trial whose outcome is known.
  ///
  /// Done by a thread of the host as soon as an outcome is known; to be called when one cannot wait for it.
  func settleTrials() {
    state.withLock { state in
      Self.settleKnown(&state, dispatcher, services)
    }
  }

  private static func settleKnown(
    _ state: inout State, _ dispatcher: Dispatcher, _ services: HostServices
  ) {
    for (name, pending) in state.trials where pending.trial.outcome != .open {
      settle(name, pending, &state, dispatcher, services)
    }
  }

  /// Ends every trial; those that are still open have passed.
  func settleAll(_ state: inout State) {
    for (name, pending) in state.trials {
      Self.settle(name, pending, &state, dispatcher, services)
    }
  }

  /// Ends a plugin's trial, if there is one; when it is still open, it has passed.
  func settle(_ name: String, _ state: inout State) {
    if let pending = state.trials[name] {
      Self.settle(name, pending, &state, dispatcher, services)
    }
  }

  private static func settle(
    _ name: String, _ pending: PendingTrial, _ state: inout State, _ dispatcher: Dispatcher,
    _ services: HostServices
  ) {
    state.trials[name] = nil
    let (newer, older) = (pending.newer, pending.older)
    guard pending.trial.outcome == .failed else {
      newer.settle(after: older, dispatcher: dispatcher)
      end(older, dispatcher)
      return
    }
    older.takeBack(from: newer, dispatcher: dispatcher)
    if let index = state.plugins.firstIndex(where: { $0 === newer }) {
      state.plugins[index] = older
    }
    end(newer, dispatcher)
    services.log.log(
      .error, source: "host",
      "plugin \(name): a handler of generation \(newer.generation) failed while it was on trial; "
        + "generation \(older.generation) is back")
  }

  /// Stops and destroys a generation that another one has taken over from.
  private static func end(_ plugin: LoadedPlugin, _ dispatcher: Dispatcher) {
    plugin.stop(dispatcher: dispatcher)
    plugin.forget()
  }

  // MARK: The thread

  /// Makes the thread that decides, once.
  func startTrialWatch(_ state: inout State) {
    guard state.trialWatch == nil, !state.isOver else { return }
    // Not the host itself: its end waits for the thread.
    state.trialWatch = WorkerThread(named: "trials") {
      [states = self.state, trialWake, dispatcher, services] in
      while true {
        let seen = trialWake.value
        let isOver = states.withLock { state in
          if !state.isOver { Self.settleKnown(&state, dispatcher, services) }
          return state.isOver
        }
        if isOver { return }
        trialWake.wait(from: seen, nanoseconds: 1_000_000_000)
      }
    }
  }

  /// Ends the thread; trials are decided by the next call from then on.
  func endTrialWatch() {
    let watch = state.withLock { state in
      state.isOver = true
      defer { state.trialWatch = nil }
      return state.trialWatch
    }
    trialWake.signal()
    watch?.join()
    state.withLock { $0.isOver = false }
  }
}
