// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// `kemon.defer/1`: votes that are given later.
enum DeferExtension {
  static let row = HostExtension(
    KEMON_EXT_DEFER,
    kemon_ext_defer(
      size: UInt32(MemoryLayout<kemon_ext_defer>.size), reserved: 0,
      open: { host, event, timeout, onTimeout, cancel, context, ticket in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        guard let event, let ticket, timeout > 0, timeout <= UInt64(KEMON_DEFER_TIMEOUT_MAX),
          let outcome = VerdictAction(failure: onTimeout)
        else {
          plugin.noteMisbehaviour()
          return KEMON_E_INVALID
        }
        let record = RecordView(trusted: event)
        guard record.phase == .pre, record.kind.info?.canDeny == true else {
          return KEMON_E_UNSUPPORTED
        }
        guard !plugin.isOver else { return KEMON_E_STATE }
        let allowed = DeferExtension.allowed(
          timeout, deadline: event.pointee.deadline_ns, now: plugin.services.clock.now())
        guard
          let id = TicketDesk.open(
            owner: plugin.ticketOwner, timeout: allowed, onTimeout: outcome, cancel: cancel,
            context: context)
        else { return KEMON_E_FULL }
        ticket.pointee = id
        return KEMON_OK
      },
      resolve: { host, ticket, verdict in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        return plugin.resolve(ticket, verdict)
      },
      retain: { host, event in
        guard let plugin = HostTable.plugin(host), let event else { return nil }
        return plugin.retained.retain(RecordView(trusted: event))
      },
      release: { host, event in
        guard let plugin = HostTable.plugin(host), let event else { return }
        if !plugin.retained.release(event) { plugin.noteMisbehaviour() }
      }))

  /// How long a ticket may be open: four fifths of what is left of the event's time at most, so that an answer is there
  /// before somebody else gives one.
  static func allowed(_ timeout: UInt64, deadline: UInt64, now: UInt64) -> UInt64 {
    guard deadline > 0 else { return timeout }
    return min(timeout, deadline > now ? (deadline - now) / 5 * 4 : 0)
  }
}

extension VerdictAction {
  /// Reads `KEMON_FAIL_*`; nil for what is none.
  init?(failure value: UInt16) {
    switch Int32(value) {
    case KEMON_FAIL_ABSTAIN: self = .abstain
    case KEMON_FAIL_ALLOW: self = .allow
    case KEMON_FAIL_DENY: self = .deny
    default: return nil
    }
  }
}

extension LoadedPlugin {
  /// Gives a vote: `resolve` of `kemon.defer/1`.
  fileprivate func resolve(
    _ ticket: UInt64, _ verdict: UnsafePointer<kemon_verdict>?
  ) -> kemon_status {
    do throws(PluginRefusal) {
      guard let verdict else { throw PluginRefusal(KEMON_E_INVALID, "resolve: verdict is NULL") }
      let size = MemoryLayout<kemon_verdict>.size
      var copy = try ForeignStruct.read(verdict, first: size, tail: .ignored, named: "verdict")
      guard let action = VerdictAction(rawValue: copy.action), action != .defer else {
        throw PluginRefusal(KEMON_E_INVALID, "resolve: action \(copy.action) is no vote")
      }
      copy.size = UInt32(size)
      switch TicketDesk.resolve(ticket, owner: ticketOwner, copy) {
      case .accepted: return KEMON_OK
      case .expired: return KEMON_E_EXPIRED
      case .unknown: throw PluginRefusal(KEMON_E_INVALID, "resolve: there is no ticket \(ticket)")
      }
    } catch {
      noteMisbehaviour()
      return error.status
    }
  }
}
