// SPDX-License-Identifier: Apache-2.0

import KemonText

/// A plugin as a running host describes it.
struct RunningPlugin {
  private let value: JSONValue

  init(_ value: JSONValue?) { self.value = value ?? .null }

  var name: String { text("name") }
  var version: String { text("version") }
  var generation: Int64 { value.value(at: "generation")?.integer ?? 0 }

  /// The table of `plugins list --control`.
  static func table(_ plugins: [RunningPlugin]) -> String {
    var table = Table(
      "NAME", "VERSION", "GEN", "MODE", "STATE", "CALLS", "DENY", "WOULD", "FAULTS", "SHA256")
    for plugin in plugins {
      table.add(
        plugin.name, plugin.version, String(plugin.generation), plugin.text("mode"), plugin.state,
        plugin.sum("calls"), plugin.sum("denies"), plugin.sum("would_deny"), plugin.sum("faults"),
        String(plugin.text("sha256").prefix(12)))
    }
    return table.text
  }

  private var state: String {
    let state = text("state")
    guard state == "running" else { return state }
    if value.value(at: "enabled")?.bool == false { return "disabled" }
    let handlers = value.value(at: "handlers")?.elements ?? []
    if handlers.contains(where: { $0.value(at: "quarantined") == .bool(true) }) {
      return "quarantine"
    }
    return value.value(at: "trial")?.integer.map { "trial (\($0) left)" } ?? state
  }

  private func text(_ member: String) -> String { value.value(at: member)?.string ?? "-" }

  private func sum(_ member: String) -> String {
    let handlers = value.value(at: "handlers")?.elements ?? []
    return handlers.reduce(Int64(0)) { $0 + ($1.value(at: member)?.integer ?? 0) }.grouped
  }
}
