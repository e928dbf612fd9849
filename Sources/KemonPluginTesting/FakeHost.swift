// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
import KemonPlatform

/// A host for tests of plugins: it keeps what the plugin registers, writes and logs, and calls its handlers.
///
/// It evaluates no filters and joins no votes, and knows nothing of the values that signatures name: see
/// ``vote(_:words:)``. Use it from one thread; only the plugin may log and write from any.
public final class FakeHost {
  /// A handler as the plugin registered it.
  public struct Registered {
    /// The name in the plugin.
    public let name: String
    /// The kind or pattern.
    public let kind: String
    /// nil for every phase.
    public let phase: EventPhase?
    /// The filter's text, not evaluated.
    public let filter: String?
    /// `KEMON_H_*`.
    public let flags: Int32
    /// `KEMON_FAIL_*`.
    public let onFault: Int32
    /// The order of calls.
    public let priority: Int32
    /// The names and types of its arguments; nil for a handler that gets the event.
    public let signature: String?
    /// `KEMON_CACHE_*`.
    public let cacheFields: UInt32
    /// Nanoseconds that an answer is good; 0 for ever.
    public let cacheLifetime: UInt64
    /// Nanoseconds that a call may take, not measured here; 0 for no limit.
    public let timeout: UInt64
    /// `KEMON_FAIL_*` for a call that takes longer.
    public let onTimeout: Int32
    package let function: kemon_handler_fn
    let typed: kemon_any_fn?
    package let context: UnsafeMutableRawPointer?

    /// Whether it only looks on.
    public var isObserver: Bool { flags & KEMON_H_OBSERVE != 0 }

    package func takes(_ record: RecordView) -> Bool {
      EventKind.matching(kind, phase: phase).contains(record.kind)
    }
  }

  /// What one handler answered.
  public struct Answer {
    /// Which handler.
    public let handler: String
    /// What it returned.
    public let status: kemon_status
    /// Its vote.
    public let action: VerdictAction
    /// The errno of a denial.
    public let error: Int32
    /// The text for people.
    public let reason: String
    /// What stays allowed.
    public let allowMask: UInt64
    /// The replaced result, nil when there is none.
    public let result: Int64?
    /// Whether it may be remembered.
    public let isCacheable: Bool

    init(_ handler: Registered, _ status: kemon_status, _ verdict: kemon_verdict) {
      self.handler = handler.name
      self.status = status
      action = VerdictAction(rawValue: verdict.action) ?? .abstain
      error = verdict.err
      reason = withUnsafeBytes(of: verdict.reason) { textUpToNUL($0) }
      allowMask = verdict.allow_mask
      result = verdict.flags & UInt16(KEMON_V_RESULT) != 0 ? verdict.result : nil
      isCacheable = verdict.flags & UInt16(KEMON_V_CACHEABLE) != 0
    }
  }

  /// The table that the plugin is given.
  public let table: UnsafeMutablePointer<kemon_host>
  /// The plugin's configuration.
  public internal(set) var config: ConfigValue
  /// What the plugin registered, in order.
  public internal(set) var handlers: [Registered] = []
  /// What the plugin wrote to standard output.
  public var output: [UInt8] { said.withLock { $0.output } }
  /// What the plugin logged: the level and the text.
  public var log: [String] { said.withLock { $0.log } }
  /// Names of plugins by id.
  public var pluginNames: [UInt32: String] = [:]
  /// Names of handlers by id.
  public var handlerNames: [UInt32: String] = [:]
  /// What `now` answers.
  public var time: UInt64 = 0
  /// Tables of other extensions by their ids; they must live as long as the plugin.
  public var tables: [String: UnsafeRawPointer] = [:]
  /// What registering answers; nil registers.
  public var refusal: (code: kemon_status, text: String, column: UInt32)?

  let extensions: Set<String>
  // Plugins ask for names on any thread.
  private let texts = PosixLock<[String: UnsafeMutablePointer<CChar>]>([:])
  private let said = PosixLock<(output: [UInt8], log: [String])>(([], []))

  /// Makes a host.
  ///
  /// - Parameters:
  ///   - config: what `kemon.config/1` reads.
  ///   - mode: `KEMON_MODE_*`.
  ///   - extensions: the ids that it offers.
  public init(
    config: ConfigValue = [:], mode: Int32 = KEMON_MODE_RUN,
    extensions: Set<String> = [KEMON_EXT_CONFIG, KEMON_EXT_OUTPUT, KEMON_EXT_NAMES]
  ) {
    self.config = config
    self.extensions = extensions
    table = .allocate(capacity: 1)
    table.initialize(to: .fake)
    table.pointee.mode = UInt32(mode)
    table.pointee.name = UnsafePointer(text("fake-host"))
    table.pointee.version = UnsafePointer(text("9.8.7"))
    table.pointee.priv = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    table.deallocate()
    for text in texts.withLock({ $0 }).values { text.deallocate() }
  }

  /// What the plugin wrote to standard output, as text; forgets it.
  public func takeOutput() -> String {
    said.withLock { said in
      defer { said.output = [] }
      return String(decoding: said.output, as: UTF8.self)
    }
  }

  func say(_ line: String) { said.withLock { $0.log.append(line) } }

  func write(_ bytes: UnsafeRawBufferPointer) {
    said.withLock { $0.output.append(contentsOf: bytes) }
  }

  /// Calls the handlers that vote on this record's kind.
  public func vote(_ record: OwnedRecord) -> [Answer] {
    call(record) { !$0.isObserver }
  }

  /// Calls the handlers that observe this record's kind.
  @discardableResult
  public func observe(_ record: OwnedRecord) -> [Answer] {
    call(record) { $0.isObserver }
  }

  /// Calls all handlers, whatever they registered for, with an event that may be malformed.
  public func call(_ event: UnsafePointer<kemon_event>) {
    for handler in handlers {
      var verdict = kemon_verdict()
      verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
      _ = handler.function(handler.context, event, &verdict)
    }
  }

  private func call(_ record: OwnedRecord, _ isMeant: (Registered) -> Bool) -> [Answer] {
    handlers.filter { isMeant($0) && $0.takes(record.view) }.map { handler in
      var verdict = kemon_verdict()
      verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
      verdict.allow_mask = .max
      let status = handler.function(handler.context, record.view.event, &verdict)
      return Answer(handler, status, verdict)
    }
  }

  /// Calls a handler whose signature is in brackets with words of the caller's choice.
  ///
  /// - Returns: nil when there is no such handler.
  public func vote(_ name: String, words: [UInt64]) -> Answer? {
    guard
      let handler = handlers.first(where: {
        $0.name == name && $0.signature?.hasPrefix("[") == true
      }), let typed = handler.typed
    else { return nil }
    var verdict = kemon_verdict()
    verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
    let function = unsafeBitCast(typed, to: kemon_words_fn.self)
    return Answer(handler, function(handler.context, words, &verdict), verdict)
  }

  /// A C string that lives as long as the host; the same text gives the same pointer.
  package func text(_ text: String) -> UnsafeMutablePointer<CChar> {
    texts.withLock { texts in
      if let known = texts[text] { return known }
      let bytes = text.utf8CString
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
      for (index, byte) in bytes.enumerated() { (copy + index).initialize(to: byte) }
      texts[text] = copy
      return copy
    }
  }
}

func textUpToNUL(_ bytes: UnsafeRawBufferPointer) -> String {
  String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}
