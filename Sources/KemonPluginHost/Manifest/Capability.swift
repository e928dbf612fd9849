// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonText

/// The names of what a plugin may be granted; the manifest asks, the operator decides.
///
/// In the host's own process a capability opens calls of the host, and nothing keeps the plugin's code from making
/// system calls of its own; in a worker the kernel enforces them.
enum Capability {
  /// What every plugin asks for, whether its manifest says so or not.
  static let usual = ["observe", "vote"]

  static let names = [
    "blob", "defer", "emit", "fs.data", "intercept", "net", "observe", "service", "threads", "vote",
  ]

  /// Whether a text names a capability: one of ``names``, or `modify:KIND.FIELD` of a field that can be changed.
  static func isKnown(_ text: String) -> Bool {
    names.contains(text) || fields.contains(text)
  }

  private static let fields = ModifiableFields.names.map { PluginManifest.modifyPrefix + $0 }

  /// What is needed instead of a text that names none.
  static func needed(insteadOf text: String) -> String {
    let near = NearNames.of(text, among: names + fields)
    return near.isEmpty
      ? "one of \((names + fields).joined(separator: ", "))"
      : "perhaps \(near.joined(separator: ", "))"
  }
}
