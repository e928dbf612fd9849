// SPDX-License-Identifier: Apache-2.0

/// What a registered handler's context points at; kept alive by the plugin's instance.
class HandlerTarget: @unchecked Sendable {}

/// The target of a handler that votes.
final class Voter: HandlerTarget, @unchecked Sendable {
  let body: @Sendable (Event) throws -> Vote

  init(_ body: @escaping @Sendable (Event) throws -> Vote) { self.body = body }
}

/// The target of an observer.
final class Watcher: HandlerTarget, @unchecked Sendable {
  let body: @Sendable (Event) throws -> Void

  init(_ body: @escaping @Sendable (Event) throws -> Void) { self.body = body }
}

// The two functions that the host calls. The context is the target, which outlives every call (the instance holds it
// until destroy), so no reference is counted on the way. Whatever a body throws ends here.

let callVoter: kemon_handler_fn = { context, event, verdict in
  guard let context, let event, let verdict else { return KEMON_E_INVALID }
  return Unmanaged<Voter>.fromOpaque(context)._withUnsafeGuaranteedRef { voter in
    do {
      try voter.body(Event(trusted: event)).write(to: verdict)
      return KEMON_OK
    } catch {
      return KEMON_E_FAILED
    }
  }
}

let callWatcher: kemon_handler_fn = { context, event, _ in
  guard let context, let event else { return KEMON_E_INVALID }
  return Unmanaged<Watcher>.fromOpaque(context)._withUnsafeGuaranteedRef { watcher in
    do {
      try watcher.body(Event(trusted: event))
      return KEMON_OK
    } catch {
      return KEMON_E_FAILED
    }
  }
}
