// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

/// What a plugin asks the host for, through the tables of C functions.
extension LoadedPlugin {
  /// A broken rule of the ABI that did no harm.
  @discardableResult
  func noteMisbehaviour() -> Int { misbehaviour.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Registers a handler: `kemon_host.on`.
  func register(
    _ handler: UnsafePointer<kemon_handler>?, _ token: UnsafeMutablePointer<UInt64>?,
    _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    do throws(PluginRefusal) {
      let (stage, taken, number) = state.withLock { state in
        (state.stage, state.requests.map(\.name), state.nextToken)
      }
      guard isControlThread else {
        noteWrongThread("on", needed: "[control]")
        throw PluginRefusal(
          KEMON_E_WRONGTHREAD, "handlers are registered on the thread that calls create or start")
      }
      guard stage == .creating || stage == .starting else {
        throw PluginRefusal(KEMON_E_STATE, "handlers are registered in create and start")
      }
      guard taken.count < HandlerRequest.countLimit else {
        throw PluginRefusal(
          KEMON_E_FULL, "a plugin has at most \(HandlerRequest.countLimit) handlers")
      }
      let (log, source) = (services.log, name)
      var request = try HandlerRequest(
        handler, token: number, taken: taken, operations: services.operations,
        complain: { log.log(.warn, source: source, $0) })
      try checkCapability(for: request)
      request.isStandIn = worker != nil
      state.withLock { state in
        state.requests.append(request)
        state.nextToken += 1
      }
      mutes.add(number)
      token?.pointee = number
      return KEMON_OK
    } catch {
      if error.status == KEMON_E_INVALID { noteMisbehaviour() }
      // A plugin may not look at the answer; the operator shall know what is not watched.
      if isControlThread {
        services.log.log(.warn, source: name, "registration refused: \(error)")
      }
      return error.report(to: buffer)
    }
  }

  private func checkCapability(for request: HandlerRequest) throws(PluginRefusal) {
    let needed = request.role == .observer ? "observe" : "vote"
    guard settings.capabilities.contains(needed) else {
      throw PluginRefusal(
        KEMON_E_UNSUPPORTED,
        "handler \"\(request.name)\" needs the capability \"\(needed)\", which is not granted")
    }
  }

  /// Removes a handler: `kemon_host.off`.
  ///
  /// While handlers can run the control thread is outside the plugin, so a handler that is removed here has not been
  /// called yet, or no more: nothing needs to be waited for.
  func unregister(_ token: UInt64) -> kemon_status {
    guard isControlThread else {
      noteWrongThread("off", needed: "[control]")
      return KEMON_E_WRONGTHREAD
    }
    return state.withLock { state in
      guard let index = state.requests.firstIndex(where: { $0.token == token }) else {
        return KEMON_E_NOTFOUND
      }
      state.requests.remove(at: index)
      mutes.remove(token)
      return KEMON_OK
    }
  }

  /// Finds an extension: `kemon_host.ext`.
  func findExtension(_ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    guard let id else {
      noteMisbehaviour()
      return nil
    }
    let name = String(cString: id)
    guard !services.isWorker || HostExtensions.workerIDs.contains(name) else { return nil }
    if name == KEMON_EXT_MUTE { mutes.want() }
    return HostExtensions.table(name)
  }

  /// Takes a line for the operator: `kemon_host.log`.
  func log(_ level: Int32, _ text: UnsafePointer<CChar>?, _ length: Int) {
    guard let text, length >= 0 else {
      noteMisbehaviour()
      return
    }
    let known = LogLevel(rawValue: level)
    if known == nil { noteMisbehaviour() }
    services.log.log(
      known ?? .info, source: name, UnsafeRawBufferPointer(start: text, count: length))
  }

  /// Takes lines of output: `write` of `kemon.output/1`.
  func write(_ bytes: UnsafeRawPointer?, _ length: Int) -> kemon_status {
    guard length >= 0, bytes != nil || length == 0 else {
      noteMisbehaviour()
      return KEMON_E_INVALID
    }
    let mayWait = Observer.isCurrentThread || isControlThread
    let lines = UnsafeRawBufferPointer(start: bytes, count: length)
    switch services.output.write(lines, mayWait: mayWait) {
    case .accepted: return KEMON_OK
    case .full: return KEMON_E_FULL
    case .tooLarge:
      noteMisbehaviour()
      return KEMON_E_INVALID
    case .closed: return KEMON_E_FAILED
    }
  }

  /// The configuration, as long as the plugin may ask for it.
  func withConfiguration<Value>(_ body: (PluginConfiguration) -> Value?) -> Value? {
    guard isControlThread else {
      noteWrongThread("kemon.config/1", needed: "[control]")
      return nil
    }
    return body(configuration)
  }
}
