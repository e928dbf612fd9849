// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// What the host keeps for a plugin by process goes when the process does.
extension LoadedPlugin {
  static let processWatchName = HandlerRequest.reservedPrefix + "processes"

  /// A handler of the host's own that looks for the ends of processes; none where nothing is kept, or no event tells.
  func processWatch() -> [KemonBus.Handler] {
    guard mutes.isWanted || blobs.isWanted,
      let exit = EventKind.named("process.exit", phase: .notify)
    else {
      return []
    }
    return [
      KemonBus.Handler(
        name: Self.processWatchName, pluginID: id, pluginName: name, kinds: [exit],
        // Behind the plugin's own, which may look once more at what is kept.
        tier: .observe, priority: .max,
        function: { context, event, _ in
          guard let context, let event else { return KEMON_E_INVALID }
          let subject = event.pointee.subject
          Unmanaged<LoadedPlugin>.fromOpaque(context)._withUnsafeGuaranteedRef {
            $0.mutes.forget(pid: subject.pid, start: subject.start_ns)
            $0.blobs.forget(pid: subject.pid, start: subject.start_ns)
          }
          return KEMON_OK
        }, context: Unmanaged.passUnretained(self).toOpaque())
    ]
  }
}
