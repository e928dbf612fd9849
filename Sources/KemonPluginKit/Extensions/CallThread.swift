// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.thread/1`: what the calling thread does for the plugin, and how long it may still think.
public struct CallThread: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_thread>

  /// What a thread does for a plugin.
  public enum Role: Int32, Sendable {
    /// Nothing: it is a thread of the plugin's own.
    case other = 0
    /// It is in `init`, `start`, `stop`, ….
    case control = 1
    /// It is in a handler of ``On``, whose answer is waited for.
    case lane = 2
    /// It is in a handler of ``Observe``.
    case observer = 3
  }

  /// What the calling thread does; any thread.
  public var role: Role { Role(rawValue: table.pointee.role(host)) ?? .other }

  /// How long the host still waits for the running handler; nil when it waits as long as it takes.
  ///
  /// Inside a handler of ``On`` only: elsewhere it is zero, and counts as misbehaviour.
  public var timeLeft: Duration? {
    let left = table.pointee.budget_left_ns(host)
    return left == .max ? nil : .nanoseconds(Int64(clamping: left))
  }
}
