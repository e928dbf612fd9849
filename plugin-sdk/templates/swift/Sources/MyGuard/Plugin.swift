// SPDX-License-Identifier: Apache-2.0
import KemonPluginKit

/// Only root opens what the configuration calls secret.
final class MyGuard: KemonPlugin {
  private let secret: String

  /// What it throws is shown to the operator.
  init(host: Host) throws {
    secret = try host.config.string("secret") ?? "/etc/shadow"
  }

  var handlers: [Handler] {
    // Called before a file is opened; the one who opens it waits for the answer.
    On("file.open", .pre, onFault: .deny) { [secret] event in
      guard let file = event.view(of: kemon_file.self) else { throw OlderProducer() }
      if event.subject.uid == 0 || !file.path.bytes.elementsEqual(secret.utf8) { return .abstain }
      return .deny(.EACCES, "for root only")
    }
  }
}

/// The event has no payload that this plugin could read; `onFault` decides.
struct OlderProducer: Error {}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The entry: what the host calls first.
@c(kemon_plugin_v1)
public func kemon_plugin_v1(
  _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? { exportPlugin(MyGuard.self, hello) }
