// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Nobody but root opens `/etc/shadow`, and nobody writes to what is below `/etc`.
final class Typed: KemonPlugin {
  init(host: Host) throws {}

  var handlers: [Handler] {
    On(
      "file.open", .pre, fields: "path", "flags", "subject.uid", filter: "path ^= '/etc/'",
      onFault: .deny
    ) { (path: RecordText, flags: Int32, uid: UInt32) in
      if uid != 0, path == "/etc/shadow" { return .deny(.EACCES, "for root only") }
      return flags & 3 != 0 ? .deny(.EROFS, "read only") : .abstain
    }
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The entry: what the host calls first.
@c(kemon_plugin_v1)
public func kemon_plugin_v1(
  _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? { exportPlugin(Typed.self, hello) }
