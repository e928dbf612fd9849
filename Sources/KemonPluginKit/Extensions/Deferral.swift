// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.defer/1`: votes that are given later, by any thread.
public struct Deferral: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_defer>

  /// The promise of a vote.
  public struct Ticket: @unchecked Sendable {
    // The table is immutable and outlives the plugin; `resolve` is marked [any].
    let deferral: Deferral
    let id: UInt64

    /// The vote of the handler that has opened it.
    public var vote: Vote { .later(id) }

    /// Gives the vote, from any thread; only the first of several counts.
    ///
    /// - Returns: false when it comes too late: the time is over, or the operation was denied already.
    @discardableResult
    public func resolve(_ vote: Vote) -> Bool {
      var verdict = kemon_blank_verdict()
      vote.write(to: &verdict)
      return deferral.table.pointee.resolve(deferral.host, id, &verdict) == KEMON_OK
    }
  }

  /// Opens a ticket; inside a handler that votes before an operation, for its event.
  ///
  /// - Parameters:
  ///   - event: the one that the handler was called with.
  ///   - timeout: nanoseconds that the operation may wait; a minute at most.
  ///   - onTimeout: the vote when none comes in time.
  /// - Throws: when the event cannot be denied, or too many tickets are open.
  public func open(
    _ event: Event, timeout: UInt64, onTimeout: Handler.Fault
  ) throws(HostRefusal) -> Ticket {
    var id: UInt64 = 0
    let status = table.pointee.open(
      host, event.event, timeout, onTimeout.rawValue, nil, nil, &id)
    try HostRefusal.check(status, "open")
    return Ticket(deferral: self, id: id)
  }

  /// Copies an event, so that it lives beyond the handler's call; nil when too many are held.
  public func retain(_ event: Event) -> RetainedEvent? {
    table.pointee.retain(host, event.event).map { RetainedEvent(self, $0) }
  }

  /// An event that lives as long as this object.
  public final class RetainedEvent: @unchecked Sendable {
    // The copy never changes.
    private let deferral: Deferral
    private let pointer: UnsafePointer<kemon_event>

    fileprivate init(_ deferral: Deferral, _ pointer: UnsafePointer<kemon_event>) {
      self.deferral = deferral
      self.pointer = pointer
    }

    deinit { deferral.table.pointee.release(deferral.host, pointer) }

    /// The event.
    public var event: Event { Event(trusted: pointer) }
  }
}
