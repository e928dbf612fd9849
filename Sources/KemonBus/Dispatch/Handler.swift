// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

// Unchecked: the context pointer belongs to the plugin, which must be ready for calls from any thread.
/// A function of a plugin and the events it is for.
public struct Handler: @unchecked Sendable {
  /// The name, unique in its plugin.
  public var name: String
  /// The plugin's id; 0 for the host itself.
  public var pluginID: UInt32
  /// The plugin's name.
  public var pluginName: String
  /// The kinds that it is called for.
  public var kinds: [EventKind]
  /// A condition that is checked before each call; nil for every event.
  public var filter: EventFilter?
  /// Where its votes stand.
  public var tier: VerdictTier
  /// The order of calls: lower is earlier; it also breaks ties between equal votes.
  public var priority: Int32
  /// What it is taken to have voted when it fails.
  public var onFault: VerdictAction
  /// What it is taken to have voted when it does not answer in time; said by ``StandInStatus``.
  public var onTimeout: VerdictAction
  /// Whether the function is the host's, calls the plugin's elsewhere, and may return a ``StandInStatus``.
  public var isStandIn: Bool
  /// What is called.
  public var function: kemon_handler_fn
  /// The function's first argument; must live until the handler has been removed.
  public var context: UnsafeMutableRawPointer?
  /// What of an event its answers depend on, if they may be remembered; see ``VerdictCache``.
  public var cache: CacheDeclaration
  /// The fields that it may change before the operation.
  public var modifiable: ModifiableFields = []
  /// What it does not want to see, which it decides while events flow; nil when it never does.
  public var mutes: MuteSet?
  /// Where its faults are written down; nil for a standing of the dispatcher's making.
  public var standing: HandlerStanding?
  /// What the context points to, kept until the handler has been removed and its last call has left; nil for nothing.
  public var owner: (any AnyObject & Sendable)?

  /// Makes a handler.
  public init(
    name: String, pluginID: UInt32, pluginName: String, kinds: [EventKind],
    filter: EventFilter? = nil, tier: VerdictTier = .enforce, priority: Int32 = 0,
    onFault: VerdictAction = .abstain, onTimeout: VerdictAction = .abstain,
    isStandIn: Bool = false, function: @escaping kemon_handler_fn,
    context: UnsafeMutableRawPointer? = nil, cache: CacheDeclaration = .none,
    standing: HandlerStanding? = nil, owner: (any AnyObject & Sendable)? = nil
  ) {
    self.name = name
    self.pluginID = pluginID
    self.pluginName = pluginName
    self.kinds = kinds
    self.filter = filter
    self.tier = tier
    self.priority = priority
    self.onFault = onFault
    self.onTimeout = onTimeout
    self.isStandIn = isStandIn
    self.function = function
    self.context = context
    self.cache = cache
    self.standing = standing
    self.owner = owner
  }
}

/// Names a handler that was added to a ``Dispatcher``.
public struct HandlerToken: Hashable, Sendable {
  /// Unique in the process, never 0; the `handler_id` of votes.
  public let id: UInt32
}

/// What a handler did so far.
public struct HandlerStatistics: Sendable {
  /// The handler.
  public let token: HandlerToken
  /// Its name.
  public let name: String
  /// The plugin's id.
  public let pluginID: UInt32
  /// The plugin's name.
  public let pluginName: String
  /// Whether it is still registered; a disabled one is.
  public let isActive: Bool
  /// Whether it is called: registered and not disabled.
  public let isEnabled: Bool
  /// Calls.
  public let calls: UInt64
  /// Events that its filter kept away from it.
  public let filtered: UInt64
  /// Denials that counted.
  public let denies: UInt64
  /// Denials that were only recorded: tier observe, a kind that cannot be denied, or a handler in quarantine.
  public let wouldDenies: UInt64
  /// Calls that failed or answered what is not allowed.
  public let faults: UInt64
  /// Events that it did not answer in time, whether it was called or its turn did not come.
  public let timeouts: UInt64
  /// Calls that were timed.
  public let timedCalls: UInt64
  /// Time of the timed calls together, in nanoseconds.
  public let timedNanoseconds: UInt64
  /// Whether its votes count, and what it has to answer for; nil where no votes are asked for.
  public let standing: HandlerStanding.Report?
}
