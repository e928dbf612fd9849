// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// The fake host behind a table that it handed out.
private func fake(_ host: UnsafePointer<kemon_host>?) -> FakeHost? {
  host?.pointee.priv.map { Unmanaged<FakeHost>.fromOpaque($0).takeUnretainedValue() }
}

extension kemon_host {
  /// The table with everything but what differs from host to host.
  static var fake: kemon_host {
    var table = kemon_host()
    table.size = UInt32(MemoryLayout<kemon_host>.size)
    table.abi = UInt32(KEMON_ABI_MAJOR) << 16 | UInt32(KEMON_ABI_MINOR)
    table.plugin_id = 7
    table.ext = { host, id in
      guard let id, let host = KemonPluginTesting.fake(host) else { return nil }
      let name = String(cString: id)
      if let table = host.tables[name] { return table }
      guard host.extensions.contains(name) else { return nil }
      return switch name {
      case KEMON_EXT_CONFIG: UnsafeRawPointer(configTable)
      case KEMON_EXT_OUTPUT: UnsafeRawPointer(outputTable)
      case KEMON_EXT_NAMES: UnsafeRawPointer(namesTable)
      default: nil
      }
    }
    table.log = { host, level, bytes, length in
      let text = UnsafeRawBufferPointer(start: bytes, count: length)
      KemonPluginTesting.fake(host)?.say("\(level) \(String(decoding: text, as: UTF8.self))")
    }
    table.on = { host, handler, token, error in
      guard let handler = handler?.pointee, let host = KemonPluginTesting.fake(host) else {
        return KEMON_E_INVALID
      }
      return host.register(handler, token, error)
    }
    table.off = { _, _ in KEMON_E_UNSUPPORTED }
    table.now = { KemonPluginTesting.fake($0)?.time ?? 0 }
    return table
  }
}

extension FakeHost {
  fileprivate func register(
    _ handler: kemon_handler, _ token: UnsafeMutablePointer<UInt64>?,
    _ error: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    func refuse(_ code: kemon_status, _ why: String, column: UInt32 = 0) -> kemon_status {
      error?.pointee.code = code
      error?.pointee.line = column == 0 ? 0 : 1
      error?.pointee.column = column
      if let error {
        withUnsafeMutableBytes(of: &error.pointee.text) { field in
          field.copyBytes(from: why.utf8.prefix(field.count - 1))
          field[min(why.utf8.count, field.count - 1)] = 0
        }
      }
      return code
    }
    if let refusal { return refuse(refusal.code, refusal.text, column: refusal.column) }
    guard let name = handler.name, let kind = handler.kind,
      handler.fn != nil || handler.signature != nil && handler.typed != nil
    else { return refuse(KEMON_E_INVALID, "a handler needs a name, a kind and a function") }
    let registered = Registered(
      name: String(cString: name), kind: String(cString: kind),
      phase: EventPhase(rawValue: handler.phase),
      filter: handler.filter.map { String(cString: $0) }, flags: Int32(handler.flags),
      onFault: Int32(handler.on_fault), priority: handler.priority,
      signature: handler.signature.map { String(cString: $0) },
      cacheFields: handler.cache_fields, cacheLifetime: handler.cache_ttl_ns,
      timeout: handler.timeout_ns, onTimeout: Int32(handler.on_timeout),
      function: handler.fn ?? { _, _, _ in KEMON_E_UNSUPPORTED }, typed: handler.typed,
      context: handler.ctx)
    // Operations of MAC policies are named like kinds; which there are is the kernel's.
    guard
      registered.kind.hasPrefix("mac.")
        || !EventKind.matching(registered.kind, phase: registered.phase).isEmpty
    else {
      return refuse(KEMON_E_INVALID, "no kind matches \(registered.kind)")
    }
    guard !handlers.contains(where: { $0.name == registered.name }) else {
      return refuse(KEMON_E_INVALID, "two handlers are named \(registered.name)")
    }
    handlers.append(registered)
    token?.pointee = UInt64(handlers.count)
    return KEMON_OK
  }

  fileprivate func value(_ path: UnsafePointer<CChar>?) -> ConfigValue? {
    path.flatMap { config[path: String(cString: $0)] }
  }
}

// Extension tables: immutable after they are made, kept for the life of the process.

nonisolated(unsafe) private let configTable: UnsafePointer<kemon_ext_config> = permanent(
  kemon_ext_config(
    size: UInt32(MemoryLayout<kemon_ext_config>.size), reserved: 0,
    count: { host, path in
      switch fake(host)?.value(path) {
      case .array(let elements): Int64(elements.count)
      case .object(let members): Int64(members.count)
      default: -1
      }
    },
    string: { host, path in
      guard let host = fake(host), case .string(let text) = host.value(path) else { return nil }
      return UnsafePointer(host.text(text))
    },
    integer: { host, path, out in
      guard let value = fake(host)?.value(path) else { return KEMON_E_NOTFOUND }
      guard case .integer(let number) = value else { return KEMON_E_INVALID }
      out?.pointee = number
      return KEMON_OK
    },
    boolean: { host, path, out in
      guard let value = fake(host)?.value(path) else { return KEMON_E_NOTFOUND }
      guard case .boolean(let truth) = value else { return KEMON_E_INVALID }
      out?.pointee = truth ? 1 : 0
      return KEMON_OK
    }))

nonisolated(unsafe) private let outputTable: UnsafePointer<kemon_ext_output> = permanent(
  kemon_ext_output(
    size: UInt32(MemoryLayout<kemon_ext_output>.size), reserved: 0,
    write: { host, bytes, length in
      fake(host)?.write(UnsafeRawBufferPointer(start: bytes, count: length))
      return KEMON_OK
    }))

nonisolated(unsafe) private let namesTable: UnsafePointer<kemon_ext_names> = permanent(
  kemon_ext_names(
    size: UInt32(MemoryLayout<kemon_ext_names>.size), reserved: 0,
    plugin: { host, id in fake(host).map { UnsafePointer($0.text($0.pluginNames[id] ?? "")) } },
    handler: { host, id in fake(host).map { UnsafePointer($0.text($0.handlerNames[id] ?? "")) } }))

private func permanent<Table>(_ table: Table) -> UnsafePointer<Table> {
  let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  copy.initialize(to: table)
  return UnsafePointer(copy)
}
