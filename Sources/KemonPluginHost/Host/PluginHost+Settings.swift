// SPDX-License-Identifier: Apache-2.0

internal import KemonBus
internal import KemonPlatform
public import KemonText
internal import Synchronization

/// What the operator decides while plugins run.
extension PluginHost {
  /// Lets a plugin's handlers be called again, or not be called for a while; its instance stays as it is.
  ///
  /// Returns after the last call has left. Events that its observers have not read by then, and those that they do not
  /// see meanwhile, count as muted. Any thread but a handler's.
  ///
  /// - Throws: that no such plugin runs.
  public func setEnabled(_ isEnabled: Bool, _ name: String) throws(PluginProblem) {
    try change(name) { $0.isEnabled = isEnabled }
  }

  /// Decides whether a plugin's votes count; every event sees all of its handlers in the one mode or the other.
  ///
  /// Any thread but a handler's.
  ///
  /// - Throws: that no such plugin runs.
  public func setMode(_ mode: VotingMode, _ name: String) throws(PluginProblem) {
    try change(name) { $0.mode = mode }
  }

  /// Gives a running plugin another configuration, which it takes as a whole or not at all.
  ///
  /// Any thread but a handler's.
  ///
  /// - Throws: why the old one is still in force.
  public func reconfigure(_ name: String, _ configuration: JSONValue) throws(PluginProblem) {
    try state.withLock { state throws(PluginProblem) in
      try running(name, state).1.reconfigure(configuration)
    }
  }

  /// Forgets the strikes of a plugin's handlers: votes that were only recorded for them count again.
  ///
  /// Any thread but a handler's.
  ///
  /// - Throws: that no such plugin runs.
  public func resetStrikes(_ name: String) throws(PluginProblem) {
    try state.withLock { state throws(PluginProblem) in
      let tokens = try running(name, state).1.state.withLock { $0.tokens }
      for token in tokens.values { dispatcher.resetStanding(token) }
    }
  }

  private func change(
    _ name: String, _ body: (inout PluginSettings) -> Void
  ) throws(PluginProblem) {
    try state.withLock { state throws(PluginProblem) in
      let (_, plugin) = try running(name, state)
      var settings = plugin.settings
      body(&settings)
      let pending = state.trials[name]
      plugin.apply(settings, trial: pending?.trial, dispatcher: dispatcher)
      pending?.older.state.withLock { $0.settings = settings }
    }
  }
}
