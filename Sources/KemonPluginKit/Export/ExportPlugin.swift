// SPDX-License-Identifier: Apache-2.0

private import Synchronization

/// Answers the host's entry call for a plugin written in Swift: the one line of `kemon_plugin_v1`.
///
/// - Parameters:
///   - type: the plugin's class. A library holds one plugin: with another type this returns nil and says why.
///   - hello: what the host handed in.
/// - Returns: the plugin's table, which lives as long as the process; nil when the host is not served.
public func exportPlugin(
  _ type: any KemonPlugin.Type, _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? {
  guard let hello else { return nil }
  let major = UInt32(KEMON_ABI_MAJOR)
  guard hello.pointee.abi_min >> 16 <= major, major <= hello.pointee.abi_max >> 16 else {
    return refuse(hello, "the plugin speaks ABI \(major), the host does not")
  }
  let first = exportedType.withLock { exported in
    exported = exported ?? type
    return exported
  }
  guard first == type else {
    return refuse(hello, "two plugins share one KemonPluginKit: link it statically into each")
  }
  return pluginTable
}

private func refuse(
  _ hello: UnsafeMutablePointer<kemon_hello>, _ why: String
) -> UnsafePointer<kemon_plugin>? {
  if Int(hello.pointee.size) >= MemoryLayout<kemon_hello>.size {
    withUnsafeMutableBytes(of: &hello.pointee.why) { $0.copyText(why) }
  }
  return nil
}

// KEMON_ABI, whose macro Swift does not import.
private let abi = UInt32(KEMON_ABI_MAJOR) << 16 | UInt32(KEMON_ABI_MINOR)

// `create` has no context of its own, and a C function cannot be generic: the type waits here.
private let exportedType = Mutex<(any KemonPlugin.Type)?>(nil)

// Immutable once made, and never freed: the ABI asks for static storage.
nonisolated(unsafe) private let pluginTable: UnsafePointer<kemon_plugin> = {
  let table = UnsafeMutablePointer<kemon_plugin>.allocate(capacity: 1)
  table.initialize(to: kemon_plugin())
  table.pointee.size = UInt32(MemoryLayout<kemon_plugin>.size)
  table.pointee.abi = abi
  table.pointee.create = { host, _, error in
    guard let type = exportedType.withLock({ $0 }) else { return nil }
    return createInstance(of: type, host: host, error: error)
  }
  table.pointee.start = { startInstance($0, error: $1) }
  table.pointee.stop = { stopInstance($0) }
  table.pointee.destroy = { destroyInstance($0) }
  return UnsafePointer(table)
}()

/// Makes a plugin for C: nil and a filled-in error when it threw.
func createInstance(
  of type: any KemonPlugin.Type, host: UnsafePointer<kemon_host>?,
  error: UnsafeMutablePointer<kemon_error>?
) -> UnsafeMutableRawPointer? {
  guard let host, Int(host.pointee.size) >= MemoryLayout<kemon_host>.size else {
    report("the host's table is too short", KEMON_E_INVALID, to: error)
    return nil
  }
  do {
    return Unmanaged.passRetained(try PluginInstance(type, host: host)).toOpaque()
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
  guard let instance else { return KEMON_E_INVALID }
  do {
    try Unmanaged<PluginInstance>.fromOpaque(instance).takeUnretainedValue().plugin.start()
    return KEMON_OK
  } catch let caught {
    report(String(describing: caught), KEMON_E_FAILED, to: error)
    return KEMON_E_FAILED
  }
}

func stopInstance(_ instance: UnsafeMutableRawPointer?) {
  guard let instance else { return }
  Unmanaged<PluginInstance>.fromOpaque(instance).takeUnretainedValue().plugin.stop()
}

func destroyInstance(_ instance: UnsafeMutableRawPointer?) {
  guard let instance else { return }
  Unmanaged<PluginInstance>.fromOpaque(instance).release()
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
