// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// The extensions of this host: tables of C functions, one for all plugins.
enum HostExtensions {
  /// The ids, as manifests name them.
  static let ids = [KEMON_EXT_OUTPUT, KEMON_EXT_CONFIG, KEMON_EXT_NAMES]

  /// Those that a plugin finds in a process of its own, too.
  static let workerIDs = [KEMON_EXT_OUTPUT, KEMON_EXT_CONFIG, KEMON_EXT_NAMES]

  /// The table of an id, or nil.
  ///
  /// It lives as long as the process.
  static func table(_ id: String) -> UnsafeRawPointer? {
    switch id {
    case KEMON_EXT_OUTPUT: UnsafeRawPointer(output)
    case KEMON_EXT_CONFIG: UnsafeRawPointer(config)
    case KEMON_EXT_NAMES: UnsafeRawPointer(names)
    default: nil
    }
  }

  // Made once, never changed, never freed.
  nonisolated(unsafe) private static let output: UnsafePointer<kemon_ext_output> = keep(
    kemon_ext_output(
      size: UInt32(MemoryLayout<kemon_ext_output>.size), reserved: 0,
      write: { host, bytes, length in
        HostTable.plugin(host)?.write(bytes, length) ?? KEMON_E_INVALID
      }))

  nonisolated(unsafe) private static let config: UnsafePointer<kemon_ext_config> = keep(
    kemon_ext_config(
      size: UInt32(MemoryLayout<kemon_ext_config>.size), reserved: 0,
      count: { host, path in
        HostExtensions.lookUp(host, path) { $0.count(at: $1).map(Int64.init) } ?? -1
      },
      string: { host, path in HostExtensions.lookUp(host, path) { $0.string(at: $1) } },
      integer: { host, path, out in
        HostExtensions.read(host, path, \.integer) { out?.pointee = $0 }
      },
      boolean: { host, path, out in
        HostExtensions.read(host, path, \.bool) { out?.pointee = $0 ? 1 : 0 }
      }))

  nonisolated(unsafe) private static let names: UnsafePointer<kemon_ext_names> = keep(
    kemon_ext_names(
      size: UInt32(MemoryLayout<kemon_ext_names>.size), reserved: 0,
      plugin: { host, id in
        HostTable.plugin(host)?.services.pluginNames.name(of: id) ?? CText.empty
      },
      handler: { host, id in
        HostTable.plugin(host)?.services.handlerNames.name(of: id) ?? CText.empty
      }))

  private static func keep<Table>(_ table: Table) -> UnsafePointer<Table> {
    let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    pointer.initialize(to: table)
    return UnsafePointer(pointer)
  }

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
    let found = lookUp(host, path) { $0.value.value(at: $1) }
    guard let found else { return path == nil ? KEMON_E_INVALID : KEMON_E_NOTFOUND }
    guard let value = kind(found) else { return KEMON_E_INVALID }
    store(value)
    return KEMON_OK
  }
}
