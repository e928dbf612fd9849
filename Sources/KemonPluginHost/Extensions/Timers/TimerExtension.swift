// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Synchronization

/// `kemon.timer/1`: calls at times of the event clock.
enum TimerExtension {
  static let row = HostExtension(
    KEMON_EXT_TIMER,
    kemon_ext_timer(
      size: UInt32(MemoryLayout<kemon_ext_timer>.size), reserved: 0,
      arm: { host, delay, period, function, context, id in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        guard let function, let id, period == 0 || period >= UInt64(KEMON_TIMER_PERIOD_MIN) else {
          plugin.noteMisbehaviour()
          return KEMON_E_INVALID
        }
        guard !plugin.isOver else { return KEMON_E_STATE }
        let call = EventTimers.Call(
          function: function, context: context, pluginID: plugin.id)
        guard let timers = plugin.services.timers else { return KEMON_E_UNSUPPORTED }
        guard
          let number = timers.arm(
            call, of: plugin.instanceNumber, delay: delay, period: period)
        else { return KEMON_E_FULL }
        id.pointee = number
        return KEMON_OK
      },
      cancel: { host, id in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        let isFound = plugin.services.timers?.cancel(id, of: plugin.instanceNumber) ?? false
        return isFound ? KEMON_OK : KEMON_E_NOTFOUND
      }))
}

extension LoadedPlugin {
  /// Whether the plugin has been stopped, or never came to life.
  var isOver: Bool {
    state.withLock { $0.stage == .stopping || $0.stage == .stopped || $0.stage == .failed }
  }
}
