// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// What a host is doing, as plugins are told; the numbers of `KEMON_MODE_*`.
public enum PluginMode: UInt32, Sendable {
  /// Events happen now.
  case run = 1
  /// Events come from a recording: the clock is virtual, nothing can be blocked.
  case replay = 2
  /// As replay, many rounds; output is counted and thrown away.
  case bench = 3
}

/// What all plugins of a host share.
struct HostServices: Sendable {
  /// The name and version that plugins see.
  static let name = "kemon-host"
  static let version = "1.0.0"
  /// The newest ABI that this host speaks: major in the upper half, minor in the lower.
  static let abi = KEMON_ABI_MAJOR << 16 | KEMON_ABI_MINOR

  let mode: PluginMode
  let clock: EventClock
  let output: any OutputSink
  let log: any LogSink
  /// Nanoseconds that a control function may take before the operator is told.
  var patience: UInt64 = 5_000_000_000
  let pluginNames = NameRegistry()
  let handlerNames = NameRegistry()
}
