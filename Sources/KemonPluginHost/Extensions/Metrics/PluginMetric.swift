// SPDX-License-Identifier: Apache-2.0

/// A counter or histogram of a plugin's own, and what it has counted.
public struct PluginMetric: Sendable, Equatable {
  /// What was counted.
  public enum Value: Sendable, Equatable {
    /// A counter.
    case count(UInt64)
    /// A histogram.
    case distribution(Distribution)
  }

  /// What a histogram knows of its values.
  public struct Distribution: Sendable, Equatable {
    /// How many values there are.
    public var count: UInt64 = 0
    /// Their sum, which wraps around.
    public var sum: UInt64 = 0
    /// The largest.
    public var maximum: UInt64 = 0
    /// What half of the values do not exceed; like the others to 1 in 16.
    public var p50: UInt64 = 0
    /// What 90 of 100 do not exceed.
    public var p90: UInt64 = 0
    /// What 99 of 100 do not exceed.
    public var p99: UInt64 = 0
  }

  /// The plugin's id.
  public let pluginID: UInt32
  /// Its name.
  public let plugin: String
  /// The metric's name, unique in the plugin.
  public let name: String
  /// What it means, for people; may be empty.
  public let help: String
  /// What is counted, as in `bytes`; may be empty.
  public let unit: String
  /// What it has counted.
  public let value: Value
}
