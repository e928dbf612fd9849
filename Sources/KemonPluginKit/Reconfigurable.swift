// SPDX-License-Identifier: Apache-2.0

/// A plugin that takes another configuration while events flow; any other is refused one.
///
/// The conformance says so to the host: a method of this name alone is never called.
public protocol Reconfigurable: KemonPlugin {
  /// Takes all of another configuration, or throws and goes on with the one before.
  ///
  /// Read and check everything first, and put it where handlers look at the end: a ``Live`` is for that. Called by the
  /// host's control thread, while handlers run.
  ///
  /// - Parameter config: the new one; so is ``Host/config`` during the call.
  /// - Throws: what is shown to the operator.
  func reconfigure(_ config: Config) throws
}

/// A plugin that leaves to its next generation what it knows.
///
/// The conformance says so to the host: a method of this name alone is never called.
public protocol StateSaving: KemonPlugin {
  /// What ``Host/state`` of the next generation shall be: at most 16 MiB, and 8 MiB in a process of its own.
  ///
  /// Called by the host's control thread before ``KemonPlugin/stop()``; the plugin's observer stands still, handlers that
  /// vote go on.
  ///
  /// - Throws: then the reload fails, and this generation goes on; the error is logged.
  func save() throws -> [UInt8]
}
