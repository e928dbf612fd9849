// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Only root may open `/etc/shadow`; the configuration's `reason` tells the others why.
final class Minimal: KemonPlugin {
  private let reason: String

  init(host: Host) throws {
    reason = try host.config.string("reason") ?? "for root only"
    host.log(.info, "watching /etc/shadow")
  }

  var handlers: [Handler] {
    On("file.open", .pre, filter: "path ^= '/etc/shadow'", onFault: .deny) { [reason] event in
      event.subject.uid == 0 ? .allow : .deny(.EACCES, reason)
    }
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The entry: what the host calls first.
@c(kemon_plugin_v1)
public func kemon_plugin_v1(
  _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? { exportPlugin(Minimal.self, hello) }
