// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// What an operator says about a plugin in a lock.
public struct PluginGrant: Sendable, Equatable {
  /// What it may do, of what its manifest asks for; nil for all of it.
  public var capabilities: [String]?
  /// Whether its votes count; nil when the run decides.
  public var mode: VotingMode?
  /// Where its votes stand: `guard` makes them final.
  public var tier: VerdictTier
  /// Added to the priorities of its handlers: lower is called earlier.
  public var priority: Int32

  /// What holds for a plugin that nothing is said about.
  public static let usual = PluginGrant(tier: .enforce, priority: 0)

  /// Makes a grant.
  public init(
    capabilities: [String]? = nil, mode: VotingMode? = nil, tier: VerdictTier, priority: Int32
  ) {
    self.capabilities = capabilities
    self.mode = mode
    self.tier = tier
    self.priority = priority
  }

  /// The settings of a plugin at its start.
  ///
  /// - Parameter run: whether votes count in this run; monitor stands above every grant.
  func settings(for manifest: PluginManifest, run: VotingMode) -> PluginSettings {
    PluginSettings(
      mode: run == .monitor ? .monitor : mode ?? .enforce, tier: tier, priority: priority,
      capabilities: granted(manifest))
  }

  /// What a plugin may do.
  func granted(_ manifest: PluginManifest) -> Set<String> {
    let asked = Set(manifest.capabilities)
    return capabilities.map { asked.intersection($0) } ?? asked
  }
}
