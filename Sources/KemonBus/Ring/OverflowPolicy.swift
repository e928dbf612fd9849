// SPDX-License-Identifier: Apache-2.0

/// What happens when a subscriber is a whole ring behind the producers.
public enum OverflowPolicy: String, Sendable, CaseIterable {
  /// The oldest events that it has not read are overwritten and counted as lost; producers never wait.
  case drop
  /// Producers wait for it; for recordings and replay, where losing is worse than waiting.
  case block
  /// As drop, and the first loss says that the run is to end: a result with holes is worth nothing.
  case exit
}
