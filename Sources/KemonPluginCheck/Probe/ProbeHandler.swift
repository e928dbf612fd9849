// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPluginTesting

/// A handler that the plugin under check has registered.
struct ProbeHandler {
  let registered: FakeHost.Registered
  let filter: EventFilter?
  let kinds: [EventKind]

  init(_ registered: FakeHost.Registered) throws(Finding) {
    self.registered = registered
    // One with a signature takes arguments, which the host makes of an event.
    kinds =
      registered.signature == nil
      ? EventKind.matching(registered.kind, phase: registered.phase) : []
    do throws(FilterError) {
      filter = try registered.filter.map { text throws(FilterError) in
        try EventFilter(parsing: text)
      }
    } catch {
      throw .failed("handler \"\(registered.name)\": \(error)")
    }
  }

  var name: String { registered.name }
  var isObserver: Bool { registered.isObserver }
  /// Whether it takes kinds that its author cannot have known.
  var isOpen: Bool { registered.kind.hasSuffix("*") }

  /// Whether the host would call it for this event.
  func takes(_ record: RecordView) -> Bool {
    registered.takes(record) && filter?.matches(record) ?? true
  }
}

/// The verdict that a handler is given.
enum ProbeVerdict {
  /// As a host presets it.
  static var preset: kemon_verdict {
    var verdict = kemon_verdict()
    verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
    verdict.allow_mask = .max
    return verdict
  }

  /// Calls the body with a preset verdict, behind which something may be overwritten without harm.
  static func with<Result>(_ body: (UnsafeMutablePointer<kemon_verdict>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: kemon_verdict.self, capacity: 3) { verdicts in
      verdicts.initialize(repeating: preset)
      guard let first = verdicts.baseAddress else { preconditionFailure("there are three") }
      return body(first + 1)
    }
  }
}

/// What a handler answered to an event.
struct ProbeAnswer: Equatable {
  let handler: String
  let status: kemon_status
  let action: UInt16
  let flags: UInt16
  let error: Int32
  let code: UInt32
  let mask: UInt64
  let result: Int64
  let reason: [UInt8]
  let size: UInt32

  init(_ handler: String, _ status: kemon_status, _ verdict: UnsafePointer<kemon_verdict>) {
    let verdict = verdict.pointee
    self.handler = handler
    self.status = status
    action = verdict.action
    flags = verdict.flags
    error = verdict.err
    code = verdict.reason_code
    mask = verdict.allow_mask
    result = verdict.result
    reason = withUnsafeBytes(of: verdict.reason) { Array($0) }
    size = verdict.size
  }

  /// Whether it says that the operation must not happen.
  var isDenial: Bool { status == KEMON_OK && action == KEMON_DENY }

  /// What decides: the status, and of the verdict what its action uses.
  func decides(as other: ProbeAnswer) -> Bool {
    guard status == other.status else { return false }
    guard status == KEMON_OK else { return true }
    guard action == other.action else { return false }
    switch Int32(action) {
    case KEMON_DENY: return error == other.error && code == other.code
    case KEMON_MODIFY: return mask == other.mask && result == other.result && flags == other.flags
    default: return true
    }
  }

  /// For people.
  var text: String {
    guard status == KEMON_OK else { return "status \(status)" }
    return VerdictAction(rawValue: action)?.name ?? "action \(action)"
  }
}
