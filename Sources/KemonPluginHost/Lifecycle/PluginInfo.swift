// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// Where a plugin is in its life.
public enum PluginState: String, Sendable {
  /// Created; its handlers wait for the start.
  case created
  /// Started; its handlers are called.
  case running
  /// Stopped and destroyed; its code stays mapped.
  case stopped
  /// Could not be created or started.
  case failed
}

/// What can be told about a loaded plugin.
public struct PluginInfo: Sendable {
  /// The number that records carry, from 1.
  public let id: UInt32
  /// 1, and one more with every reload.
  public let generation: Int
  /// The name.
  public let name: String
  /// Its own version.
  public let version: String
  /// What it does, in its own words; may be empty.
  public let description: String
  /// The ABI that host and plugin speak with each other, as in `1.0`.
  public let abi: String
  /// The file that it was loaded from.
  public let file: String
  /// SHA-256 of that file's bytes as they were loaded, in hexadecimal.
  public let sha256: String
  /// Where it is in its life.
  public let state: PluginState
  /// Whether its votes count.
  public let mode: VotingMode
  /// Whether its handlers are called.
  public let isEnabled: Bool
  /// How many calls of a new generation's handlers must still be without fault before the old one goes; nil when no
  /// old one waits.
  public internal(set) var trial: Int?
  /// Its handlers, in the order of their registration.
  public let handlers: [HandlerInfo]
  /// Calls to the host that were refused because they broke the rules of the ABI.
  public let misbehaviour: Int
  /// Its process, when it runs in one of its own.
  public var worker: WorkerReport?
}

/// What can be told about a handler.
public struct HandlerInfo: Sendable, Equatable {
  /// How a handler takes part.
  public enum Role: String, Sendable {
    /// Its votes count.
    case voter
    /// Its votes are recorded as what it would have said.
    case shadow
    /// It reads what was decided.
    case observer
  }

  /// The name, unique in its plugin.
  public let name: String
  /// The kind or pattern that it was registered for.
  public let pattern: String
  /// The kinds that the pattern and phase stand for.
  public let kinds: [EventKind]
  /// The condition on events; nil for none.
  public let filter: String?
  /// How it takes part.
  public let role: Role
  /// The order of calls: lower is earlier.
  public let priority: Int32
  /// Its named arguments; nil for a handler that gets the event.
  public let signature: String?
  /// How a function with named arguments is called.
  public let lane: CallLane?
  /// Nanoseconds that a call may take; 0 for as long as it likes.
  public var budget: UInt64 = 0
}
