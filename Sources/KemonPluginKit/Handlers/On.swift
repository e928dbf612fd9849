// SPDX-License-Identifier: Apache-2.0

/// Declares a handler that votes: it is called where the event happens, and the operation waits for it.
public struct On: HandlerDeclaration {
  /// The handler that is declared.
  public let handler: Handler

  /// Declares a handler.
  ///
  /// - Parameters:
  ///   - kind: `"file.open"`, or a beginning: `"file.*"`.
  ///   - phase: which side of the operation.
  ///   - filter: a condition of `kemon/host.h`, as in `"path ^= '/etc/' and not uid in (0, 501)"`.
  ///   - name: unique in the plugin; by default the kind and the phase.
  ///   - priority: lower is called first; it never turns a denial into something else.
  ///   - onFault: what counts as the vote when `body` throws.
  ///   - timeout: how long a call may take, at most an hour; nil for no limit, unless the operator sets one.
  ///   - onTimeout: what counts as the vote when a call takes longer; what it says then is thrown away.
  ///   - cache: what the answer depends on, so that one that is ``Vote/cacheable()`` may be remembered.
  ///   - cacheFor: how long such an answer is good; nil for ever.
  ///   - isShadow: the vote is recorded as "would deny" and never enforced.
  ///   - body: quick and never blocking; called by several threads at a time.
  public init(
    _ kind: String, _ phase: EventPhase, filter: String? = nil, name: String? = nil,
    priority: Int32 = 0, onFault: Handler.Fault = .abstain, timeout: Duration? = nil,
    onTimeout: Handler.Fault = .abstain, cache: CacheFields = [], cacheFor: Duration? = nil,
    isShadow: Bool = false, _ body: @escaping @Sendable (_ event: Event) throws -> Vote
  ) {
    handler = Handler(
      name: name ?? "\(kind).\(phase.name)", kind: kind, phase: phase, filter: filter,
      flags: isShadow ? UInt32(KEMON_H_SHADOW) : 0, onFault: onFault, priority: priority,
      call: callVoter, target: Voter(body),
      terms: CallTerms(timeout: timeout, onTimeout: onTimeout, cache: cache, cacheFor: cacheFor))
  }
}

/// Declares a handler that looks on: it reads events after their decision, on a thread of its own.
///
/// It delays nobody. When it is too slow it loses events, and the host counts them.
public struct Observe: HandlerDeclaration {
  /// The handler that is declared.
  public let handler: Handler

  /// Declares an observer.
  ///
  /// - Parameters:
  ///   - kind: `"file.open"`, or a beginning: `"file.*"`, `"*"`.
  ///   - phase: nil for every phase.
  ///   - filter: a condition of `kemon/host.h`.
  ///   - name: unique in the plugin; by default `observe` and the kind.
  ///   - body: called for one event after another, never by two threads at a time.
  public init(
    _ kind: String, _ phase: EventPhase? = nil, filter: String? = nil, name: String? = nil,
    _ body: @escaping @Sendable (_ event: Event) throws -> Void
  ) {
    handler = Handler(
      name: name ?? "observe.\(kind)", kind: kind, phase: phase, filter: filter,
      flags: UInt32(KEMON_H_OBSERVE), onFault: .abstain, priority: 0, call: callWatcher,
      target: Watcher(body))
  }
}
