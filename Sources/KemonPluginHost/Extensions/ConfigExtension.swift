// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// `kemon.config/1`: the configuration by path.
enum ConfigExtension {
  static let row = HostExtension(
    KEMON_EXT_CONFIG,
    kemon_ext_config(
      size: UInt32(MemoryLayout<kemon_ext_config>.size), reserved: 0,
      count: { host, path in
        ConfigExtension.lookUp(host, path) { $0.count(at: $1).map(Int64.init) } ?? -1
      },
      string: { host, path in ConfigExtension.lookUp(host, path) { $0.string(at: $1) } },
      integer: { host, path, out in
        ConfigExtension.read(host, path, \.integer) { out?.pointee = $0 }
      },
      boolean: { host, path, out in
        ConfigExtension.read(host, path, \.bool) { out?.pointee = $0 ? 1 : 0 }
      }))

  private static func lookUp<Value>(
    _ host: UnsafePointer<kemon_host>?, _ path: UnsafePointer<CChar>?,
    _ body: (PluginConfiguration, String) -> Value?
  ) -> Value? {
    guard let plugin = HostTable.plugin(host) else { return nil }
    guard let path else {
      plugin.noteMisbehaviour()
      return nil
    }
    return plugin.withConfiguration { body($0, String(cString: path)) }
  }

  private static func read<Value>(
    _ host: UnsafePointer<kemon_host>?, _ path: UnsafePointer<CChar>?,
    _ kind: (JSONValue) -> Value?, _ store: (Value) -> Void
  ) -> kemon_status {
    if let plugin = HostTable.plugin(host), !plugin.isControlThread {
      plugin.noteWrongThread("kemon.config/1", needed: "[control]")
      return KEMON_E_WRONGTHREAD
    }
    let found = lookUp(host, path) { $0.value.value(at: $1) }
    guard let found else { return path == nil ? KEMON_E_INVALID : KEMON_E_NOTFOUND }
    guard let value = kind(found) else { return KEMON_E_INVALID }
    store(value)
    return KEMON_OK
  }
}
