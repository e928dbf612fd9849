// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Whether a plugin's votes count.
public enum VotingMode: String, Sendable, CaseIterable {
  /// They decide.
  case enforce
  /// They are recorded as what the plugin would have said.
  case monitor
}

/// What the operator decided about a plugin; it passes from one generation to the next.
struct PluginSettings: Sendable {
  var mode: VotingMode
  /// Whether its handlers are called.
  var isEnabled = true
  /// Where its votes stand when they count.
  var tier = VerdictTier.enforce
  /// Added to the priorities of its handlers.
  var priority: Int32 = 0
  /// What it may do: what its manifest asks for and the operator grants.
  var capabilities: Set<String>
}
