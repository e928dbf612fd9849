// SPDX-License-Identifier: Apache-2.0

/// What a host is doing, as plugins are told; the numbers of `KEMON_MODE_*`.
public enum PluginMode: UInt32, Sendable {
  /// Events happen now.
  case run = 1
  /// Events come from a recording: the clock is virtual, nothing can be blocked.
  case replay = 2
  /// As replay, many rounds; output is counted and thrown away.
  case bench = 3
}
