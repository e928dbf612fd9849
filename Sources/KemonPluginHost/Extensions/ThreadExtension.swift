// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import KemonBus
import KemonEvents

/// `kemon.thread/1`: which of its threads a plugin is on, and how long it may still think.
enum ThreadExtension {
  static let row = HostExtension(
    KEMON_EXT_THREAD,
    kemon_ext_thread(
      size: UInt32(MemoryLayout<kemon_ext_thread>.size), reserved: 0,
      role: { host in HostTable.plugin(host)?.threadRole ?? KEMON_ROLE_OTHER },
      budget_left_ns: { host in
        guard let plugin = HostTable.plugin(host) else { return 0 }
        guard plugin.threadRole == KEMON_ROLE_LANE else {
          plugin.noteWrongThread("budget_left_ns", needed: "[lane]")
          return 0
        }
        let end = ckemon_thread_deadline()
        let now = EventClock.monotonic()
        return end == 0 ? .max : end > now ? end - now : 0
      }))
}

extension LoadedPlugin {
  /// What the calling thread is doing for this plugin, `KEMON_ROLE_*`.
  var threadRole: Int32 {
    if isControlThread { return KEMON_ROLE_CONTROL }
    let crumb = HandlerCrumb.current
    guard crumb.plugin == id, crumb.isInHandler else { return KEMON_ROLE_OTHER }
    return Observer.isCurrentThread ? KEMON_ROLE_OBSERVER : KEMON_ROLE_LANE
  }

  /// How much misbehaviour of a plugin the operator is told of, line by line.
  static let toldLimit = 8

  /// A call from a thread that may not make it: counted, and the operator is told.
  func noteWrongThread(_ function: String, needed: String) {
    // A handler may do it for every event.
    guard noteMisbehaviour() <= Self.toldLimit else { return }
    services.log.log(
      .warn, source: "host",
      "plugin \(name) has called \(function) on a thread that is not \(needed)")
  }
}
