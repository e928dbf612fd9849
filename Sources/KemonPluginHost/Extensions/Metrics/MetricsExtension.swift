// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import KemonEvents

/// `kemon.metrics/1`: counters and histograms of plugins' own.
enum MetricsExtension {
  static let row = HostExtension(
    KEMON_EXT_METRICS,
    kemon_ext_metrics(
      size: UInt32(MemoryLayout<kemon_ext_metrics>.size), reserved: 0,
      counter: { host, name, help, unit, cells in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        return plugin.addMetric(name, help, unit) { metrics, description throws(PluginRefusal) in
          guard let cells else { throw PluginRefusal(KEMON_E_INVALID, "cells is NULL") }
          cells.pointee = try metrics.addCounter(description)
        }
      },
      histogram: { host, name, help, unit, id in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        return plugin.addMetric(name, help, unit) { metrics, description throws(PluginRefusal) in
          guard let id else { throw PluginRefusal(KEMON_E_INVALID, "id is NULL") }
          id.pointee = try metrics.addHistogram(description)
        }
      },
      record: { host, id, value in
        guard let plugin = HostTable.plugin(host) else { return }
        if !plugin.metrics.record(value, in: id) { plugin.noteMisbehaviour() }
      },
      lane: { _ in
        let number = ckemon_thread_number()
        return number < UInt32(KEMON_LANES) ? number : 0
      }))
}

extension LoadedPlugin {
  /// Adds a metric that the plugin has asked for: `counter` and `histogram` of `kemon.metrics/1`.
  fileprivate func addMetric(
    _ name: UnsafePointer<CChar>?, _ help: UnsafePointer<CChar>?, _ unit: UnsafePointer<CChar>?,
    _ add: (PluginMetrics, PluginMetrics.Description) throws(PluginRefusal) -> Void
  ) -> kemon_status {
    do throws(PluginRefusal) {
      guard isControlThread else {
        throw PluginRefusal(KEMON_E_STATE, "metrics are made on the control thread")
      }
      guard let name else { throw PluginRefusal(KEMON_E_INVALID, "a metric's name is NULL") }
      try add(metrics, PluginMetrics.Description(name, help: help, unit: unit))
      return KEMON_OK
    } catch {
      if error.status == KEMON_E_INVALID { noteMisbehaviour() }
      services.log.log(.warn, source: self.name, "metric refused: \(error)")
      return error.status
    }
  }
}
