// SPDX-License-Identifier: Apache-2.0

/// What can be told about the process of a plugin that runs in one of its own.
public struct WorkerReport: Sendable, Equatable {
  /// Its process; 0 when there is none.
  public internal(set) var pid: Int32 = 0
  /// How often it ended by accident.
  public internal(set) var deaths = 0
  /// How the last one ended, and in which handler; empty when none has.
  public internal(set) var lastDeath = ""
  /// Whether it has ended too often and is left alone for a while.
  public internal(set) var isQuarantined = false
  /// How often that was so.
  public internal(set) var quarantines = 0
  /// Events that it was to observe and did not.
  public internal(set) var lost: UInt64 = 0
  /// What holds it, and what this kernel cannot do, in words.
  public internal(set) var confinement = ""
}
