// SPDX-License-Identifier: Apache-2.0

/// What became of an attempt to load plugins.
public struct LoadReport: Sendable {
  /// The plugins that were created, in the order of their start.
  public let loaded: [PluginInfo]
  /// Everything that was wrong.
  public let problems: [PluginProblem]
  /// Plugins that were required and are not there.
  public let missingRequired: [String]
}
