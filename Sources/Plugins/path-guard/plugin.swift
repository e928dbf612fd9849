// SPDX-License-Identifier: Apache-2.0

public import KemonPluginKit

/// Denies opens and execs below configured paths.
final class PathGuard: KemonPlugin {
  // Immutable after init: all threads read it without a lock.
  private let rules: [Rule]

  init(host: Host) throws {
    let config = host.config
    try config.allowMembers(["deny"], of: "")
    var rules: [Rule] = []
    for index in 0..<(try config.count("deny") ?? 0) { rules.append(try Rule(config, index)) }
    self.rules = rules
  }

  var handlers: [Handler] {
    if rules.contains(where: { $0.operations.contains(.open) }) {
      for kind in ["file.open", "file.create", "file.write", "file.device_open"] {
        On(kind, .pre, onFault: .deny) { [self] event in
          guard let file = event.view(of: kemon_file.self) else { throw ShortPayload() }
          return vote(.open, file.path, event)
        }
      }
    }
    if rules.contains(where: { $0.operations.contains(.exec) }) {
      On("process.exec", .pre, onFault: .deny) { [self] event in
        guard let exec = event.view(of: kemon_exec.self) else { throw ShortPayload() }
        return vote(.exec, exec.path, event)
      }
    }
  }

  private func vote(_ operation: Rule.Operations, _ path: RecordText, _ event: Event) -> Vote {
    // A relative path names no place; hosts resolve paths before they ask.
    guard path.bytes.first == UInt8(ascii: "/") else { return .abstain }
    let isCut = event.isTruncated
    // What is cut off a path that plays with dots may lead anywhere.
    if isCut, !PathView.isNormal(path.bytes) { return .deny(.EACCES, "path is cut") }
    let user = event.subject.uid
    return PathView.withNormalForm(of: path.bytes) { path in
      for rule in rules where rule.denies(operation, path, isCut: isCut, user: user) {
        return .deny(.EACCES, rule.reason)
      }
      return .abstain
    }
  }
}

/// A payload with fewer fields than the rules need: a fault, for which the handlers asked to deny.
private struct ShortPayload: Error {}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The entry: what the host calls first.
@c(kemon_plugin_v1)
public func kemon_plugin_v1(
  _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? { exportPlugin(PathGuard.self, hello) }
