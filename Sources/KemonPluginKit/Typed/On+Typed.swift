// SPDX-License-Identifier: Apache-2.0

extension On {
  /// Declares a handler that votes and gets what it names as its closure's parameters.
  ///
  /// ```swift
  /// On("file.open", .pre, fields: "path", "flags") { (path: RecordText, flags: Int32) in
  ///   path == "/etc/shadow" && flags & 3 != 0 ? .deny(.EACCES, "read only") : .abstain
  /// }
  /// ```
  ///
  /// The signature follows from the types of the parameters: see ``TypedArgument``. The host refuses the handler when
  /// an event of the kind has no such value, or one that does not fit.
  ///
  /// - Parameters:
  ///   - kind: `"file.open"`, a beginning as in `"file.*"`, or an operation as in `"mac.vnode_check_signature"`.
  ///   - phase: which side of the operation.
  ///   - fields: the names of the parameters, in their order: fields of the payload, `subject.uid`, `event.result`, ….
  ///   - filter: a condition of `kemon/host.h`.
  ///   - name: unique in the plugin; by default the kind and the phase.
  ///   - priority: lower is called first; it never turns a denial into something else.
  ///   - onFault: what counts as the vote when `body` throws, or an event comes without what it needs.
  ///   - timeout: how long a call may take, at most an hour; nil for no limit, unless the operator sets one.
  ///   - onTimeout: what counts as the vote when a call takes longer; what it says then is thrown away.
  ///   - cache: what the answer depends on, so that one that is ``Vote/cacheable()`` may be remembered.
  ///   - cacheFor: how long such an answer is good; nil for ever.
  ///   - isShadow: the vote is recorded as "would deny" and never enforced.
  ///   - body: quick and never blocking; called by several threads at a time.
  public init<each Value: TypedArgument>(
    _ kind: String, _ phase: EventPhase, fields: String..., filter: String? = nil,
    name: String? = nil, priority: Int32 = 0, onFault: Handler.Fault = .abstain,
    timeout: Duration? = nil, onTimeout: Handler.Fault = .abstain, cache: CacheFields = [],
    cacheFor: Duration? = nil, isShadow: Bool = false,
    _ body: @escaping @Sendable (repeat each Value) throws -> Vote
  ) {
    var types: [(letters: String, isOptional: Bool)] = []
    repeat types.append(((each Value).signature, (each Value).isOptional))
    let target = TypedVoter { words in
      var reader = WordReader(words: words)
      return try body(repeat reader.next((each Value).self))
    }
    handler = Handler(
      name: name ?? "\(kind).\(phase.name)", kind: kind, phase: phase, filter: filter,
      flags: isShadow ? UInt32(KEMON_H_SHADOW) : 0, onFault: onFault, priority: priority,
      call: nil, target: target, signature: TypedNames(fields: fields, types: types),
      terms: CallTerms(timeout: timeout, onTimeout: onTimeout, cache: cache, cacheFor: cacheFor))
  }
}

/// The names and types of a handler's parameters.
struct TypedNames: Sendable {
  /// The fields with their types; nil when there are not as many names as parameters.
  let list: String?
  let mismatch: String

  /// The signature of a handler, for the host.
  var text: String? { list.map { "[\($0)]" } }

  init(fields: [String], types: [(letters: String, isOptional: Bool)]) {
    mismatch = "\(fields.count) fields for \(types.count) parameters"
    guard fields.count == types.count else {
      list = nil
      return
    }
    list = zip(fields, types).map { "\($0)\($1.isOptional ? "?" : ""):\($1.letters)" }
      .joined(separator: " ")
  }
}

/// The words of a call, read one value after the other.
struct WordReader {
  var words: UnsafePointer<UInt64>

  mutating func next<Value: TypedArgument>(_ type: Value.Type) -> Value {
    defer { words += Value.wordCount }
    return Value(typedWords: words)
  }
}

/// The target of a handler with named arguments.
final class TypedVoter: HandlerTarget, @unchecked Sendable {
  let body: @Sendable (UnsafePointer<UInt64>) throws -> Vote

  init(_ body: @escaping @Sendable (UnsafePointer<UInt64>) throws -> Vote) { self.body = body }
}

/// What the host calls; whatever a body throws ends here.
let callTypedVoter: kemon_words_fn = { context, words, verdict in
  guard let context, let words, let verdict else { return KEMON_E_INVALID }
  return Unmanaged<TypedVoter>.fromOpaque(context)._withUnsafeGuaranteedRef { voter in
    do {
      try voter.body(words).write(to: verdict)
      return KEMON_OK
    } catch {
      return KEMON_E_FAILED
    }
  }
}
