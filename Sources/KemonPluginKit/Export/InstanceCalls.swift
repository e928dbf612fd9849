// SPDX-License-Identifier: Apache-2.0

/// Makes a plugin for C: nil and a filled-in error when it threw.
func createInstance(
  of type: any KemonPlugin.Type, host: UnsafePointer<kemon_host>?,
  create: UnsafePointer<kemon_create>? = nil, error: UnsafeMutablePointer<kemon_error>?
) -> UnsafeMutableRawPointer? {
  guard let host, Int(host.pointee.size) >= MemoryLayout<kemon_host>.size else {
    report("the host's table is too short", KEMON_E_INVALID, to: error)
    return nil
  }
  do {
    return Unmanaged.passRetained(try PluginInstance(type, host: host, create: create)).toOpaque()
  } catch let refused as RegistrationError {
    report(refused.description, KEMON_E_INVALID, to: error, at: (refused.line, refused.column))
  } catch let caught {
    report(String(describing: caught), KEMON_E_FAILED, to: error)
  }
  return nil
}

func startInstance(
  _ instance: UnsafeMutableRawPointer?, error: UnsafeMutablePointer<kemon_error>?
) -> kemon_status {
  attempt(instance, error: error) { try $0.start() }
}

/// Gives a plugin that is ``Reconfigurable`` another configuration, which the host answers from during the call.
func reconfigureInstance(
  _ instance: UnsafeMutableRawPointer?, error: UnsafeMutablePointer<kemon_error>?
) -> kemon_status {
  guard let host = living(instance)?.host else { return KEMON_E_INVALID }
  return attempt(instance, error: error) { plugin in
    guard let plugin = plugin as? any Reconfigurable else {
      throw HostRefusal(KEMON_E_UNSUPPORTED, "reconfigure")
    }
    try plugin.reconfigure(host.config)
  }
}

/// Writes what a plugin that is ``StateSaving`` leaves to the next generation.
func saveInstance(
  _ instance: UnsafeMutableRawPointer?, to sink: UnsafeMutablePointer<kemon_sink>?
) -> kemon_status {
  guard let living = living(instance), let sink, let plugin = living.plugin as? any StateSaving
  else { return KEMON_E_INVALID }
  do {
    return try plugin.save().withUnsafeBytes { bytes in
      bytes.isEmpty ? KEMON_OK : sink.pointee.write(sink, bytes.baseAddress, UInt64(bytes.count))
    }
  } catch let caught {
    // The call has no room for a text.
    living.host.log(.error, "save: \(caught)")
    return KEMON_E_FAILED
  }
}

private func living(_ instance: UnsafeMutableRawPointer?) -> PluginInstance? {
  instance.map { Unmanaged<PluginInstance>.fromOpaque($0).takeUnretainedValue() }
}

private func attempt(
  _ instance: UnsafeMutableRawPointer?, error: UnsafeMutablePointer<kemon_error>?,
  _ body: (any KemonPlugin) throws -> Void
) -> kemon_status {
  guard let plugin = living(instance)?.plugin else { return KEMON_E_INVALID }
  do {
    try body(plugin)
    return KEMON_OK
  } catch let caught {
    report(String(describing: caught), KEMON_E_FAILED, to: error)
    return KEMON_E_FAILED
  }
}

func stopInstance(_ instance: UnsafeMutableRawPointer?) {
  living(instance)?.plugin.stop()
}

func destroyInstance(_ instance: UnsafeMutableRawPointer?) {
  guard let instance else { return }
  let owner = Unmanaged<PluginInstance>.fromOpaque(instance)
  owner.takeUnretainedValue().host.context.letGo()
  owner.release()
}

private func report(
  _ text: String, _ code: kemon_status, to error: UnsafeMutablePointer<kemon_error>?,
  at place: (line: UInt32, column: UInt32) = (0, 0)
) {
  guard let error, Int(error.pointee.size) >= MemoryLayout<kemon_error>.size else { return }
  error.pointee.code = code
  error.pointee.line = place.line
  error.pointee.column = place.column
  withUnsafeMutableBytes(of: &error.pointee.text) { $0.copyText(text) }
}
