// SPDX-License-Identifier: Apache-2.0

import KemonText

/// The names of what a plugin may be granted; the manifest asks, the operator decides.
///
/// In the host's own process a capability opens calls of the host, and nothing keeps the plugin's code from making
/// system calls of its own; in a worker the kernel enforces them.
enum Capability {
  /// What every plugin has whose manifest names no capabilities.
  static let usual = ["observe", "vote"]

  static let names = [
    "blob", "defer", "emit", "fs.data", "intercept", "modify", "net", "observe", "service",
    "threads", "vote",
  ]

  /// Whether a text names a capability: one of ``names``, or `modify:KIND.FIELD`.
  static func isKnown(_ text: String) -> Bool {
    if names.contains(text) { return true }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0] == "modify" && parts[1].contains(".")
      && parts[1].utf8.allSatisfy(isWordByte)
  }

  /// What is needed instead of a text that names none.
  static func needed(insteadOf text: String) -> String {
    let near = NearNames.of(text, among: names)
    return near.isEmpty
      ? "one of \(names.joined(separator: ", ")), modify:KIND.FIELD"
      : "perhaps \(near.joined(separator: ", "))"
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
      true
    default: false
    }
  }
}
