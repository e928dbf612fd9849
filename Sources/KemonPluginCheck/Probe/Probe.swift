// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonPlatform
import KemonPluginTesting

// Unchecked: the plugin's functions are called by one thread at a time unless a check says otherwise; what the
// plugin's own threads can reach is behind a lock.
/// An instance of the plugin under check in a host that watches every call.
///
/// A probe is kept for ever unless it is told otherwise: the plugin may keep its table, and call late.
final class Probe: @unchecked Sendable {
  /// A rule that a call to the host broke.
  enum Rule: Sendable { case thread, foreignHost, late }

  /// Where the plugin is in its life.
  enum Stage: String, Sendable {
    case new, creating = "create", created, starting = "start", running, stopping = "stop"
    case destroying = "destroy", gone
  }

  let subject: Subject
  let host: FakeHost
  let table: UnsafeMutablePointer<kemon_host>
  /// The fake host's own table.
  let real: UnsafeMutablePointer<kemon_host>
  /// How many handlers are accepted; later ones are refused.
  var registrationLimit = Int.max
  private(set) var instance: UnsafeMutableRawPointer?
  private(set) var handlers: [ProbeHandler] = []
  let plugin: kemon_plugin

  private struct Watch: Sendable {
    var stage = Stage.new
    var controlThread: UInt = 0
    var broken: [(rule: Rule, text: String)] = []
    var inHandler: String?
  }
  private let watch = PosixLock(Watch())
  private let state: [UInt8]?

  /// - Parameters:
  ///   - extensions: ids that the host offers; nil for all.
  ///   - state: what the generation before saved.
  init(
    _ table: PluginTable, _ subject: Subject, config: ConfigValue, mode: Int32 = KEMON_MODE_RUN,
    extensions: Set<String>? = nil, state: [UInt8]? = nil
  ) throws(Finding) {
    self.subject = subject
    self.state = state
    plugin = table.plugin
    host =
      extensions.map { FakeHost(config: config, mode: mode, extensions: $0) }
      ?? FakeHost(config: config, mode: mode)
    host.time = 1_600_000_000_000_000_000
    real = host.table
    self.table = .allocate(capacity: 1)
    self.table.initialize(to: .watched(real.pointee))
    guard plugin.create != nil else { throw .failed("kemon_plugin.create is NULL") }
    _ = Unmanaged.passRetained(self)
    ProbeRegistry.add(self)
  }

  // MARK: Life

  /// Calls create.
  ///
  /// - Throws: the plugin's reason when it refuses.
  func create() throws(Finding) {
    if let reason = tryToCreate() { throw .failed("create: \(reason)") }
  }

  /// Calls create.
  ///
  /// - Returns: nil when there is an instance; else the plugin's reason, empty when it gave none.
  func tryToCreate() -> String? {
    var create = kemon_create()
    create.size = UInt32(MemoryLayout<kemon_create>.size)
    let config = host.config.json
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    create.config_json = UnsafePointer(host.text(config))
    create.config_len = UInt32(config.utf8.count)
    instance = asControl(.creating) {
      guard let state else { return plugin.create(table, &create, &error) }
      return state.withUnsafeBytes { bytes in
        create.state = bytes.baseAddress
        create.state_len = UInt64(bytes.count)
        return plugin.create(table, &create, &error)
      }
    }
    guard instance == nil else {
      enter(.created)
      return nil
    }
    handlers = []
    enter(.gone)
    return error.message
  }

  /// Calls start.
  func start() throws(Finding) {
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    if let start = plugin.start {
      let status = asControl(.starting) { start(instance, &error) }
      guard status == KEMON_OK else {
        throw .failed("start returned \(status): \"\(error.message)\"")
      }
    }
    enter(.running)
  }

  /// Calls stop.
  func stop() {
    if let stop = plugin.stop { asControl(.stopping) { stop(instance) } }
    enter(.created)
  }

  /// Calls destroy.
  func destroy() {
    if let destroy = plugin.destroy { asControl(.destroying) { destroy(instance) } }
    instance = nil
    enter(.gone)
  }

  /// Calls stop and destroy.
  func end() {
    stop()
    destroy()
  }

  /// Lets the probe go with its last reference, for a plugin that is known to make no late calls.
  func forget() {
    ProbeRegistry.remove(self)
    Unmanaged.passUnretained(self).release()
  }

  deinit { table.deallocate() }

  /// Calls save; nil when the plugin saves nothing.
  func save() throws(Finding) -> [UInt8]? {
    guard let save = plugin.save else { return nil }
    let collector = SavedBytes()
    let status = asControl(.running) { collector.withSink { save(instance, $0) } }
    enter(.running)
    guard status == KEMON_OK else { throw .failed("save returned \(status)") }
    return collector.bytes
  }

  /// Calls reconfigure; nil when the plugin cannot be reconfigured.
  func reconfigure(_ config: ConfigValue) -> kemon_status? {
    guard let reconfigure = plugin.reconfigure else { return nil }
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let text = config.json
    defer { enter(.running) }
    return asControl(.running) {
      reconfigure(instance, text, UInt32(text.utf8.count), &error)
    }
  }

  private func enter(_ stage: Stage) { watch.withLock { $0.stage = stage } }

  private func asControl<Result>(_ stage: Stage, _ body: () -> Result) -> Result {
    let thread = UInt(pthread_self())
    watch.withLock { watch in
      watch.stage = stage
      watch.controlThread = thread
    }
    defer { watch.withLock { $0.controlThread = 0 } }
    return body()
  }

  /// Marks that a handler runs, on whatever thread.
  func whileHandling<Result>(_ handler: String, _ body: () -> Result) -> Result {
    watch.withLock { $0.inHandler = handler }
    defer { watch.withLock { $0.inHandler = nil } }
    return body()
  }

  // MARK: What the plugin asks

  /// Rules that its calls broke, in order.
  func broken(_ rule: Rule) -> [String] {
    watch.withLock { $0.broken.filter { $0.rule == rule }.map(\.text) }
  }

  func note(_ rule: Rule, _ text: String) { watch.withLock { $0.broken.append((rule, text)) } }

  /// A function was called that any thread may call.
  func saw(_ function: String) {
    watch.withLock { watch in
      if watch.stage == .gone {
        watch.broken.append((.late, "calls \(function) after destroy has returned"))
      }
    }
  }

  /// A function was called that belongs to the control thread.
  func sawControl(_ function: String) {
    let thread = UInt(pthread_self())
    watch.withLock { watch in
      if let handler = watch.inHandler {
        watch.broken.append((.thread, "calls \(function) in handler \"\(handler)\""))
      } else if watch.controlThread != thread {
        watch.broken.append((.thread, "calls \(function) on a thread of its own"))
      }
    }
    saw(function)
  }

  func register(
    _ handler: UnsafePointer<kemon_handler>?, _ token: UnsafeMutablePointer<UInt64>?,
    _ error: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    sawControl("on")
    let stage = watch.withLock { $0.stage }
    guard stage == .creating || stage == .starting else {
      if stage != .running {
        note(.thread, "calls on in \(stage.rawValue); handlers are registered in create and start")
      }
      return kemon_fail(error, KEMON_E_STATE, "handlers are registered in create and start")
    }
    guard handlers.count < registrationLimit else {
      return kemon_fail(error, KEMON_E_FULL, "no more handlers in this host")
    }
    let status = real.pointee.on(real, handler, token, error)
    if status == KEMON_OK, let registered = host.handlers.last {
      do throws(Finding) {
        handlers.append(try ProbeHandler(registered))
      } catch {
        return kemon_fail(nil, KEMON_E_INVALID, "")
      }
    }
    return status
  }
}

/// Where a plugin's `save` writes.
private final class SavedBytes {
  private(set) var bytes: [UInt8] = []

  func withSink<Result>(_ body: (UnsafeMutablePointer<kemon_sink>) -> Result) -> Result {
    var sink = kemon_sink()
    sink.size = UInt32(MemoryLayout<kemon_sink>.size)
    sink.priv = Unmanaged.passUnretained(self).toOpaque()
    sink.write = { sink, bytes, count in
      guard let priv = sink?.pointee.priv else { return KEMON_E_INVALID }
      let saved = Unmanaged<SavedBytes>.fromOpaque(priv).takeUnretainedValue()
      saved.bytes.append(
        contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(clamping: count)))
      return KEMON_OK
    }
    return body(&sink)
  }
}

extension kemon_error {
  /// The text up to its NUL.
  fileprivate var message: String {
    withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
