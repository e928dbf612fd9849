// SPDX-License-Identifier: Apache-2.0

private import Synchronization

/// The extension `kemon.mute/1`: less of what reaches a handler, decided while events flow.
///
/// Ask for it in the plugin's `init`.
public struct Muting: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; their functions are marked [any].
  let host: Host
  let table: UnsafePointer<kemon_ext_mute>

  /// A handler of the plugin, by its name; good from ``KemonPlugin/start()`` on.
  ///
  /// Ask for it in `init`: the plugin is not loaded when it declares no handler of that name.
  public func handler(_ name: String) -> MutedHandler {
    MutedHandler(muting: self, token: host.context.token(name), name: name)
  }

  /// Makes the host forget every answer that it remembers, because answers would differ now.
  public func invalidate() throws(HostRefusal) {
    try HostRefusal.check(table.pointee.invalidate(host.table), "invalidate")
  }
}

/// A handler that some events do not reach any more; any thread, inside the handler itself, too.
public struct MutedHandler: Sendable {
  let muting: Muting
  let token: HandlerToken
  let name: String

  /// Events of the process that acts in an event do not reach the handler any more.
  ///
  /// - Returns: false when too many processes are muted already.
  /// - Throws: before the host has the handler.
  @discardableResult
  public func mute(processOf event: Event) throws(HostRefusal) -> Bool {
    let subject = event.event.pointee.subject
    return try mute(pid: subject.pid, startedAt: subject.start_ns)
  }

  /// Events of a process do not reach the handler any more.
  ///
  /// - Parameters:
  ///   - pid: its number.
  ///   - start: when it started, in nanoseconds since 1970, as events have it.
  /// - Returns: false when too many processes are muted already.
  /// - Throws: before the host has the handler.
  @discardableResult
  public func mute(pid: Int32, startedAt start: UInt64) throws(HostRefusal) -> Bool {
    try check(muting.table.pointee.subject(muting.host.table, number(), pid, start))
  }

  /// Events whose path, either of two, begins with these bytes do not reach the handler any more.
  ///
  /// - Returns: false when too many are muted already.
  /// - Throws: before the host has the handler, and for a text that is too long.
  @discardableResult
  public func mute(pathsBeginningWith prefix: String) throws(HostRefusal) -> Bool {
    try check(muting.table.pointee.path(muting.host.table, number(), prefix))
  }

  /// Takes back everything that was muted.
  public func clear() throws(HostRefusal) {
    _ = try check(muting.table.pointee.clear(muting.host.table, number()))
  }

  private func number() throws(HostRefusal) -> UInt64 {
    let number = token.number.load(ordering: .acquiring)
    guard number != 0 else {
      throw HostRefusal(
        KEMON_E_STATE, "mute \(name)",
        reason: "the host has no such handler, or not yet: it has them from start on")
    }
    return number
  }

  private func check(_ status: kemon_status) throws(HostRefusal) -> Bool {
    if status == KEMON_E_FULL { return false }
    try HostRefusal.check(status, "mute \(name)")
    return true
  }
}
