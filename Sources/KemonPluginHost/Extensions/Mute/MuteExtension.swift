// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform

/// `kemon.mute/1`: less of what reaches a handler.
enum MuteExtension {
  static let row = HostExtension(
    KEMON_EXT_MUTE,
    kemon_ext_mute(
      size: UInt32(MemoryLayout<kemon_ext_mute>.size), reserved: 0,
      subject: { host, token, pid, start in
        MuteExtension.change(host, token) { $0.add(pid: pid, start: start) }
      },
      path: { host, token, prefix in
        guard let prefix else {
          HostTable.plugin(host)?.noteMisbehaviour()
          return KEMON_E_INVALID
        }
        let bytes = UnsafeRawBufferPointer(
          start: prefix, count: strnlen(prefix, MuteSet.prefixBytes + 1))
        return MuteExtension.change(host, token) { $0.add(prefix: Array(bytes)) }
      },
      clear: { host, token in
        MuteExtension.change(host, token) { set in
          set.removeAll()
          return true
        }
      },
      invalidate: { host in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        plugin.services.cache?.flush(.requested)
        return KEMON_OK
      }))

  private static func change(
    _ host: UnsafePointer<kemon_host>?, _ token: UInt64, _ body: (MuteSet) -> Bool
  ) -> kemon_status {
    guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
    guard let set = plugin.mutes.set(for: token) else { return KEMON_E_NOTFOUND }
    guard body(set) else { return KEMON_E_FULL }
    // What was remembered may be an answer to events that the handler is not asked about any more, or is again.
    plugin.services.cache?.flush(.requested)
    return KEMON_OK
  }
}

/// What the handlers of one plugin have muted, by their tokens.
final class PluginMutes: Sendable {
  private let sets = PosixLock<(isWanted: Bool, byToken: [UInt64: MuteSet])>((false, [:]))

  /// Says that the plugin has asked for the extension: handlers that are registered later, and those that are there, can
  /// be muted.
  func want() { sets.withLock { $0.isWanted = true } }

  /// Whether the plugin has asked for the extension.
  var isWanted: Bool { sets.withLock { $0.isWanted } }

  /// Notes a handler.
  func add(_ token: UInt64) { sets.withLock { $0.byToken[token] = MuteSet() } }

  /// Forgets a handler.
  func remove(_ token: UInt64) { _ = sets.withLock { $0.byToken.removeValue(forKey: token) } }

  /// Forgets all handlers.
  func removeAll() { sets.withLock { $0.byToken = [:] } }

  /// What a handler has muted; nil when there is no such handler.
  func set(for token: UInt64) -> MuteSet? { sets.withLock { $0.byToken[token] } }

  /// What the dispatcher is to look at for a handler; nil when the plugin never mutes anything.
  func setToAsk(for token: UInt64) -> MuteSet? {
    sets.withLock { $0.isWanted ? $0.byToken[token] : nil }
  }

  /// A process has ended.
  func forget(pid: Int32, start: UInt64) {
    for set in sets.withLock({ Array($0.byToken.values) }) { set.remove(pid: pid, start: start) }
  }
}
