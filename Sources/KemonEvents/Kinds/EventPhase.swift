// SPDX-License-Identifier: Apache-2.0

/// The side of an operation on which an event lies.
public enum EventPhase: UInt16, Sendable, CaseIterable {
  /// Before the operation: handlers may vote.
  case pre = 1
  /// After the operation: handlers see the result and may replace it.
  case post = 2
  /// There is no operation to decide on.
  case notify = 3

  /// The phase as it is written in output and filters.
  public var name: String {
    switch self {
    case .pre: "pre"
    case .post: "post"
    case .notify: "notify"
    }
  }
}

/// The part of the system that an event kind belongs to.
public enum EventFamily: UInt8, Sendable, CaseIterable {
  /// Files and devices.
  case file = 0
  /// Processes and what they execute.
  case process = 1
  /// Sockets, connections and name queries.
  case network = 2
  /// Dynamic libraries.
  case dylib = 3
  /// Kernel extensions.
  case kext = 4
  /// Mandatory access control policies.
  case mac = 5
  /// What the host itself reports.
  case system = 6
  /// What plugins emit.
  case plugin = 7

  /// The family as it is written in output.
  public var name: String {
    switch self {
    case .file: "file"
    case .process: "process"
    case .network: "network"
    case .dylib: "dylib"
    case .kext: "kext"
    case .mac: "mac"
    case .system: "system"
    case .plugin: "plugin"
    }
  }
}
