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
  let first = exported.withLock { exported in
    if let exported { return exported }
    let made = Exported(type: type, table: makeTable(for: type))
    exported = made
    return made
  }
  guard first.type == type else {
    return refuse(hello, "two plugins share one KemonPluginKit: link it statically into each")
  }
  return first.table
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

private struct Exported: @unchecked Sendable {
  let type: any KemonPlugin.Type
  // Immutable once made, and never freed: the ABI asks for static storage.
  let table: UnsafePointer<kemon_plugin>
}

// `create` has no context of its own, and a C function cannot be generic: the type waits here.
private let exported = Mutex<Exported?>(nil)

private func makeTable(for type: any KemonPlugin.Type) -> UnsafePointer<kemon_plugin> {
  let table = UnsafeMutablePointer<kemon_plugin>.allocate(capacity: 1)
  table.initialize(to: pluginTable(for: type))
  return UnsafePointer(table)
}

/// The table of a type: with what its conformances say that it has.
func pluginTable(for type: any KemonPlugin.Type) -> kemon_plugin {
  var table = kemon_plugin()
  table.size = UInt32(MemoryLayout<kemon_plugin>.size)
  table.abi = abi
  table.create = { host, create, error in
    guard let type = exported.withLock({ $0?.type }) else { return nil }
    return createInstance(of: type, host: host, create: create, error: error)
  }
  table.start = { startInstance($0, error: $1) }
  table.stop = { stopInstance($0) }
  table.destroy = { destroyInstance($0) }
  // The host refuses a plugin without the one another configuration, and lets the observer of one without the other go on.
  if type is any Reconfigurable.Type {
    table.reconfigure = { instance, _, _, error in reconfigureInstance(instance, error: error) }
  }
  if type is any StateSaving.Type { table.save = { saveInstance($0, to: $1) } }
  return table
}
