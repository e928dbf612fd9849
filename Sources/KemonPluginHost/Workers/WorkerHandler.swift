// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import KemonText

/// The host's stand-in for a handler in a worker: what the dispatcher calls.
final class WorkerHandler: Sendable {
  /// What it is, as the worker says.
  let description: JSONValue
  /// Its number in the worker.
  let id: UInt32
  let name: String
  /// Nanoseconds that a call may take.
  let budget: UInt64
  unowned let plugin: WorkerPlugin
  /// What is known of its faults, once it is registered.
  private let standing = PosixLock<HandlerStanding?>(nil)

  /// Nanoseconds that a call may take now: next to none while its votes decide nothing.
  var limit: UInt64 {
    let isQuarantined = standing.withLock { $0?.isQuarantined } ?? false
    return isQuarantined ? min(budget, CallBudget.inQuarantine) : budget
  }

  /// Takes the description of a handler by a worker.
  init?(_ description: JSONValue, of plugin: WorkerPlugin) {
    let number = { (member: String) in description.value(at: member)?.integer ?? 0 }
    guard let name = description.value(at: "name")?.string,
      let id = UInt32(exactly: number("id")), let asked = UInt64(exactly: number("timeout_ns"))
    else { return nil }
    self.description = description
    self.id = id
    self.name = name
    let said = plugin.services.budgets.nanoseconds(
      plugin: plugin.name, handler: name, declared: asked)
    budget = said > 0 ? said : plugin.limits.budget
    self.plugin = plugin
  }

  /// Registers it with the host, as a plugin in this process would.
  ///
  /// - Returns: its token.
  func register(with host: LoadedPlugin) throws(WorkerFailure) -> UInt64 {
    let text = { (member: String) in self.description.value(at: member)?.string }
    let number = { (member: String) in self.description.value(at: member)?.integer ?? 0 }
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    var token: UInt64 = 0
    let flags = UInt32(truncatingIfNeeded: number("flags"))
    let status = Self.withTexts(name, text("kind") ?? "", text("filter")) { name, kind, filter in
      var handler = kemon_handler()
      handler.size = UInt32(MemoryLayout<kemon_handler>.size)
      handler.flags = flags
      handler.name = name
      handler.kind = kind
      handler.filter = filter
      handler.fn = flags & UInt32(KEMON_H_OBSERVE) != 0 ? Self.observe : Self.ask
      handler.ctx = Unmanaged.passUnretained(self).toOpaque()
      handler.phase = UInt16(truncatingIfNeeded: number("phase"))
      handler.on_fault = UInt16(truncatingIfNeeded: number("on_fault"))
      handler.timeout_ns = UInt64(bitPattern: number("timeout_ns"))
      handler.on_timeout = UInt16(truncatingIfNeeded: number("on_timeout"))
      handler.priority = Int32(truncatingIfNeeded: number("priority"))
      handler.cache_fields = UInt32(truncatingIfNeeded: number("cache_fields"))
      handler.cache_ttl_ns = UInt64(bitPattern: number("cache_ttl_ns"))
      return host.register(&handler, &token, &error)
    }
    guard status == KEMON_OK else {
      throw WorkerFailure(
        "handler \"\(name)\": " + withUnsafeBytes(of: error.text) { $0.cString }, status: status)
    }
    return token
  }

  /// The stand-in behind a request that ``register(with:)`` has made.
  static func of(_ request: HandlerRequest) -> WorkerHandler? {
    guard request.isStandIn, let context = request.context else { return nil }
    return Unmanaged<WorkerHandler>.fromOpaque(context).takeUnretainedValue()
  }

  /// Tells it what is known of its faults.
  func follow(_ standing: HandlerStanding) { self.standing.withLock { $0 = standing } }

  private static let ask: kemon_handler_fn = { context, event, verdict in
    guard let context, let event, let verdict else { return KEMON_E_INVALID }
    let handler = Unmanaged<WorkerHandler>.fromOpaque(context).takeUnretainedValue()
    return handler.plugin.ask(handler, event, verdict)
  }

  private static let observe: kemon_handler_fn = { context, event, _ in
    guard let context, let event else { return KEMON_E_INVALID }
    let handler = Unmanaged<WorkerHandler>.fromOpaque(context).takeUnretainedValue()
    return handler.plugin.forward(handler, event)
  }

  private static func withTexts<Result>(
    _ first: String, _ second: String, _ third: String?,
    _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Result
  ) -> Result {
    first.withCString { first in
      second.withCString { second in
        guard let third else { return body(first, second, nil) }
        return third.withCString { body(first, second, $0) }
      }
    }
  }
}

extension HandlerRequest {
  /// What the host of a worker is told about it.
  var description: JSONValue {
    let flags: Int32 =
      switch role {
      case .voter: 0
      case .observer: KEMON_H_OBSERVE
      case .shadow: KEMON_H_SHADOW
      }
    return .object([
      "id": .integer(Int64(token)), "name": .string(name), "kind": .string(pattern),
      "filter": filter.map { .string($0.description) } ?? .null,
      "flags": .integer(Int64(flags)), "phase": .integer(Int64(phase?.rawValue ?? 0)),
      "on_fault": .integer(Int64(Self.number(of: onFault))),
      "timeout_ns": .integer(Int64(bitPattern: budget)),
      "on_timeout": .integer(Int64(Self.number(of: onTimeout))),
      "priority": .integer(Int64(priority)),
      "cache_fields": .integer(Int64(cache.fields.rawValue)),
      "cache_ttl_ns": .integer(Int64(bitPattern: cache.lifetime)),
    ])
  }

  private static func number(of action: VerdictAction) -> Int32 {
    switch action {
    case .allow: KEMON_FAIL_ALLOW
    case .deny: KEMON_FAIL_DENY
    default: KEMON_FAIL_ABSTAIN
    }
  }
}
