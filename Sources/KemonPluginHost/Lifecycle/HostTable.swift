// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// The C functions of `kemon_host`: each finds the plugin behind the table and lets it answer.
///
/// A plugin's threads may call at the wrong time, so a table is never freed: it outlives the plugin, whose code stays
/// mapped, too, and answers that this is not the time.
enum HostTable {
  /// Makes the table of a plugin; it keeps the plugin's object for ever.
  static func make(for plugin: LoadedPlugin, abi: UInt32) -> UnsafePointer<kemon_host> {
    let table = UnsafeMutablePointer<kemon_host>.allocate(capacity: 1)
    var host = kemon_host()
    host.size = UInt32(MemoryLayout<kemon_host>.size)
    host.abi = abi
    host.mode = plugin.services.mode.rawValue
    host.plugin_id = plugin.id
    host.name = CText.hostName
    host.version = CText.hostVersion
    host.priv = Unmanaged.passRetained(plugin).toOpaque()
    host.ext = { host, id in
      guard let plugin = HostTable.plugin(host) else { return nil }
      return plugin.findExtension(id)
    }
    host.log = { host, level, text, length in
      HostTable.plugin(host)?.log(level, text, length)
    }
    host.on = { host, handler, token, error in
      guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
      return plugin.register(handler, token, error)
    }
    host.off = { host, token in
      HostTable.plugin(host)?.unregister(token) ?? KEMON_E_INVALID
    }
    host.now = { host in HostTable.plugin(host)?.services.clock.now() ?? 0 }
    table.initialize(to: host)
    return UnsafePointer(table)
  }

  /// The plugin behind a table.
  static func plugin(_ host: UnsafePointer<kemon_host>?) -> LoadedPlugin? {
    guard let pointer = host?.pointee.priv else { return nil }
    return Unmanaged<LoadedPlugin>.fromOpaque(pointer).takeUnretainedValue()
  }
}
