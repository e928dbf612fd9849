// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonText

/// A handler that a plugin asked for, checked and copied.
struct HandlerRequest {
  let token: UInt64
  let name: String
  let pattern: String
  private(set) var kinds: [EventKind]
  /// What the kinds are found by: the pattern, unless that names operations.
  private let kindPattern: String
  /// The side that it was registered for; nil for all.
  let phase: EventPhase?
  let filter: EventFilter?
  let role: HandlerInfo.Role
  let priority: Int32
  let onFault: VerdictAction
  let onTimeout: VerdictAction
  /// Nanoseconds that the plugin allows for a call; 0 when it does not say.
  let budget: UInt64
  let function: kemon_handler_fn
  let context: UnsafeMutableRawPointer?
  /// What makes the calls of a function with named arguments; keeps alive what `context` points at.
  let typed: TypedHandler?
  let cache: CacheDeclaration
  /// The function is the host's own, and calls the plugin's in another process.
  var isStandIn = false

  /// How many a plugin may have: each is asked for every event of its kinds.
  static let countLimit = 256
  /// The longest name and pattern.
  static let nameLimit = 64
  /// Bytes of the struct in its first version, which ends with `priority`.
  static let firstSize = 56
  /// The longest filter.
  static let filterLimit = 4096

  /// Checks what a plugin passed to `on`.
  ///
  /// - Parameters:
  ///   - taken: names of the plugin's other handlers.
  ///   - operations: what the pattern may name beside kinds.
  ///   - complain: takes a line for the operator when typed arguments are missing in an event.
  init(
    _ pointer: UnsafePointer<kemon_handler>?, token: UInt64, taken: [String],
    operations: OperationCatalog? = nil, complain: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(PluginRefusal) {
    guard let pointer else { throw PluginRefusal(KEMON_E_INVALID, "handler is NULL") }
    let raw = try ForeignStruct.read(
      pointer, first: Self.firstSize, tail: .mustBeZero, named: "handler")
    name = try Self.name(raw.name, taken: taken)
    let place = "handler \"\(name)\""
    pattern = try Self.pattern(raw.kind, place)
    let named = operations?.operations(matching: pattern) ?? []
    role = try Self.role(raw.flags, place)
    kindPattern = named.isEmpty ? pattern : Self.operationKind
    (phase, kinds) = try Self.kinds(kindPattern, phase: raw.phase, role, place)
    filter = try Self.filter(raw.filter, pattern: named.isEmpty ? nil : pattern, place)
    onFault = try Self.outcome(raw.on_fault, "on_fault", place)
    onTimeout = try Self.outcome(raw.on_timeout, "on_timeout", place)
    budget = try Self.budget(raw, role, place)
    priority = raw.priority
    cache = try Self.cache(raw, place)
    self.token = token
    typed = try Self.typed(
      raw,
      TypedSchemas(pattern: pattern, kinds: kinds, operations: named, catalog: operations),
      complain, place)
    if let typed {
      function = TypedHandler.function
      context = typed.context
    } else if let plain = raw.fn {
      function = plain
      context = raw.ctx
    } else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): fn is NULL")
    }
  }

  /// Finds the kinds anew that the pattern stands for: plugins may have declared some meanwhile.
  ///
  /// One with named arguments keeps to the kinds in which they were found.
  ///
  /// - Parameter isOwn: kinds that the handler does not get, because its own plugin emits them.
  mutating func resolveKinds(except isOwn: (EventKind) -> Bool) {
    guard role == .observer else { return }
    kinds = EventKind.matching(kindPattern, phase: phase).filter { kind in
      !isOwn(kind) && typed?.takes(kind) != false
    }
  }

  /// What can be told about it.
  var info: HandlerInfo {
    HandlerInfo(
      name: name, pattern: pattern, kinds: kinds, filter: filter?.description, role: role,
      priority: priority, signature: typed?.signature.text, lane: typed?.lane)
  }

  // MARK: Fields

  /// How the names of the host's own handlers and metrics begin.
  static let reservedPrefix = "host."

  private static func name(
    _ pointer: UnsafePointer<CChar>?, taken: [String]
  ) throws(PluginRefusal) -> String {
    guard let pointer else { throw PluginRefusal(KEMON_E_INVALID, "the handler's name is NULL") }
    let name = try ForeignStruct.text(pointer, limit: nameLimit, named: "the handler's name")
    guard !name.isEmpty,
      !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw PluginRefusal(
        KEMON_E_INVALID, "the handler's name is empty or has control characters")
    }
    guard !name.hasPrefix(reservedPrefix) else {
      throw PluginRefusal(
        KEMON_E_INVALID,
        "the handler's name \"\(name)\" begins with \"\(reservedPrefix)\", as the host's own do")
    }
    guard !taken.contains(name) else {
      throw PluginRefusal(KEMON_E_INVALID, "handler \"\(name)\" is registered already")
    }
    return name
  }

  private static func pattern(
    _ pointer: UnsafePointer<CChar>?, _ place: String
  ) throws(PluginRefusal) -> String {
    guard let pointer else { throw PluginRefusal(KEMON_E_INVALID, "\(place): kind is NULL") }
    let pattern = try ForeignStruct.text(pointer, limit: nameLimit, named: "\(place): kind")
    guard !pattern.dropLast().contains("*") else {
      throw PluginRefusal(
        KEMON_E_INVALID, "\(place): kind \"\(pattern)\" has a * that is not at its end")
    }
    return pattern
  }

  private static func kinds(
    _ pattern: String, phase: UInt16, _ role: HandlerInfo.Role, _ place: String
  ) throws(PluginRefusal) -> (EventPhase?, [EventKind]) {
    let side = EventPhase(rawValue: phase)
    guard side != nil || phase == 0 else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): phase \(phase) is none of 0, 1, 2, 3")
    }
    let kinds = EventKind.matching(pattern, phase: side)
    guard kinds.isEmpty else {
      guard role == .observer || kinds.contains(where: { !$0.isDeclared }) else {
        throw PluginRefusal(
          KEMON_E_INVALID,
          "\(place): kind \"\(pattern)\" is emitted by a plugin, needed is KEMON_H_OBSERVE")
      }
      return (side, role == .observer ? kinds : kinds.filter { !$0.isDeclared })
    }
    let sides = EventKind.matching(pattern, phase: nil).compactMap(\.info?.phase.name)
    if let side, !sides.isEmpty {
      throw PluginRefusal(
        KEMON_E_INVALID,
        "\(place): kind \"\(pattern)\" has no phase \(side.name), only \(sides[0])")
    }
    let known = EventKind.allKinds + EventKind.declaredKinds
    let near = NearNames.of(pattern, among: known.compactMap(\.info?.name))
    let hint = near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")
    throw PluginRefusal(KEMON_E_INVALID, "\(place): there is no kind \"\(pattern)\"\(hint)")
  }

  /// The condition, and that the operation is one of those that the pattern names.
  private static func filter(
    _ pointer: UnsafePointer<CChar>?, pattern: String?, _ place: String
  ) throws(PluginRefusal) -> EventFilter? {
    let text = try pointer.map { pointer throws(PluginRefusal) in
      try ForeignStruct.text(pointer, limit: filterLimit, named: "\(place): filter")
    }
    do throws(FilterError) {
      let own = try text.map { text throws(FilterError) in try EventFilter(parsing: text) }
      guard let pattern else { return own }
      let operation = Self.condition(for: pattern)
      return try EventFilter(parsing: text.map { "\(operation) and (\($0))" } ?? operation)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column,
        "\(place): filter: \(error.message)")
    }
  }

  private static func role(
    _ flags: UInt32, _ place: String
  ) throws(PluginRefusal) -> HandlerInfo.Role {
    switch Int32(bitPattern: flags) {
    case 0: return .voter
    case KEMON_H_OBSERVE: return .observer
    case KEMON_H_SHADOW: return .shadow
    case KEMON_H_OBSERVE | KEMON_H_SHADOW:
      throw PluginRefusal(
        KEMON_E_INVALID, "\(place): KEMON_H_OBSERVE has no vote that KEMON_H_SHADOW could keep")
    default:
      let unknown = flags & ~UInt32(KEMON_H_OBSERVE | KEMON_H_SHADOW)
      throw PluginRefusal(
        KEMON_E_UNSUPPORTED, "\(place): unknown flags 0x\(String(unknown, radix: 16))")
    }
  }

  private static func cache(
    _ raw: kemon_handler, _ place: String
  ) throws(PluginRefusal) -> CacheDeclaration {
    let fields = CacheDeclaration.Fields(rawValue: raw.cache_fields)
    guard fields.isSubset(of: .known) else {
      let unknown = fields.subtracting(.known).rawValue
      throw PluginRefusal(
        KEMON_E_UNSUPPORTED, "\(place): unknown cache_fields 0x\(String(unknown, radix: 16))")
    }
    guard raw.reserved == 0 else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): reserved is \(raw.reserved), needed is 0")
    }
    return CacheDeclaration(fields: fields, lifetime: raw.cache_ttl_ns)
  }

  private static func outcome(
    _ value: UInt16, _ field: String, _ place: String
  ) throws(PluginRefusal) -> VerdictAction {
    switch Int32(value) {
    case KEMON_FAIL_ABSTAIN: return .abstain
    case KEMON_FAIL_ALLOW: return .allow
    case KEMON_FAIL_DENY: return .deny
    default:
      throw PluginRefusal(KEMON_E_INVALID, "\(place): \(field) \(value) is none of 0, 1, 2")
    }
  }

  private static func budget(
    _ raw: kemon_handler, _ role: HandlerInfo.Role, _ place: String
  ) throws(PluginRefusal) -> UInt64 {
    guard raw.reserved2 == (0, 0, 0) else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): reserved2 is not zero")
    }
    guard raw.timeout_ns <= CallBudget.limit else {
      throw PluginRefusal(
        KEMON_E_INVALID,
        "\(place): timeout_ns \(raw.timeout_ns) is more than an hour, \(CallBudget.limit)")
    }
    guard raw.timeout_ns == 0 || role != .observer else {
      throw PluginRefusal(
        KEMON_E_INVALID, "\(place): timeout_ns has no meaning with KEMON_H_OBSERVE: nobody waits")
    }
    return raw.timeout_ns
  }
}

extension HandlerRequest {
  /// The handler for the bus.
  ///
  /// - Parameter settings: what the operator decided about the plugin.
  func handler(pluginID: UInt32, pluginName: String, _ settings: PluginSettings) -> Handler {
    var handler = Handler(
      name: name, pluginID: pluginID, pluginName: pluginName, kinds: kinds, filter: filter,
      tier: role == .voter && settings.mode == .enforce ? settings.tier : .observe,
      priority: priority.addingReportingOverflow(settings.priority).partialValue,
      onFault: onFault, onTimeout: onTimeout,
      function: function, context: context, cache: cache)
    handler.isStandIn = isStandIn
    return handler
  }
}
