// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Changes of a dispatcher's handlers of which every event sees all or none.
public struct HandlerChange: Sendable {
  /// Handlers that take the places of others, with their tokens and what was counted so far.
  public var replaced: [HandlerToken: Handler] = [:]
  /// Whether those in ``replaced`` answer for the faults of those whose places they take.
  public var keepsStandings = false
  /// Handlers that are called from now on, or not called for a while.
  public var enabled: [HandlerToken: Bool] = [:]
  /// Handlers that go.
  public var removed: [HandlerToken] = []
  /// Handlers that come.
  public var added: [Handler] = []
  /// Whether those that come are called.
  public var enablesAdded = true

  /// Makes a change of nothing.
  public init() {}
}

extension Dispatcher {
  /// Makes changes with one replacement of the table, and returns after the last call of what is gone has left.
  ///
  /// Not from inside a handler. Tokens that are unknown are left out.
  ///
  /// - Returns: the tokens of the handlers that were added, in their order.
  @discardableResult
  public func apply(_ change: HandlerChange) -> [HandlerToken] {
    registry.withLock { registry in
      for (token, handler) in change.replaced {
        handler.standing?.attach(to: cache)
        registry.change(token) { registered in
          registered.handler = handler
          if !change.keepsStandings { registered.standing = handler.standing ?? standing() }
        }
      }
      for (token, isEnabled) in change.enabled {
        registry.change(token) { $0.isEnabled = isEnabled }
      }
      for token in change.removed { registry.change(token) { $0.isActive = false } }
      let tokens = change.added.map { handler in
        handler.standing?.attach(to: cache)
        return registry.add(handler, standing: standing())
      }
      for token in tokens { registry.change(token) { $0.isEnabled = change.enablesAdded } }
      publish(&registry)
      return tokens
    }
  }
}
