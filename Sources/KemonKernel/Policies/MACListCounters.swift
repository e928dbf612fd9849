// SPDX-License-Identifier: Apache-2.0

/// The numbers of the kernel's mac_policy_list.
public struct MACListCounters: Sendable, Equatable {
  /// Policies in the list.
  public let loaded: Int
  /// Places that there is memory for.
  public let capacity: Int
  /// The highest place in use.
  public let highest: Int
  /// Places in front that can never become free: they are walked without any lock.
  public let fixed: Int
  /// How often memory was added.
  public let chunks: Int
  /// Where the search for a free place begins.
  public let hint: Int
}
