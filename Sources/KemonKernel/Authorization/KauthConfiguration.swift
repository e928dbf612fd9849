// SPDX-License-Identifier: Apache-2.0

/// What Kemon listens to: the original's configuration string, the sysctl `kern.kemon`.
///
/// `remove`, or `add SCOPE [PREFIX]`: spaces in front of the scope and of the prefix do not count, those behind the
/// prefix do. The prefix is compared byte by byte.
enum KauthConfiguration: Equatable, Sendable {
  /// To nothing.
  case remove
  /// To a scope; of file operations and vnodes only those whose path begins so.
  case add(scope: String, prefix: [UInt8])

  /// The longest string.
  static let limit = 4095
  /// What the original begins with.
  static let initial = "add \(KauthScope.fileOperation.rawValue)"

  /// Reads a configuration string; nil for one that says nothing.
  init?(parsing text: String) {
    guard text.utf8.count <= Self.limit else { return nil }
    if text == "remove" {
      self = .remove
      return
    }
    let keyword = "add "
    guard text.hasPrefix(keyword) else { return nil }
    let space = UInt8(ascii: " ")
    let scope = text.utf8.dropFirst(keyword.utf8.count).drop { $0 == space }
    let rest = scope.drop { $0 != space }
    let name = String(decoding: scope[..<rest.startIndex], as: UTF8.self)
    guard !name.isEmpty else { return nil }
    self = .add(scope: name, prefix: Array(rest.drop { $0 == space }))
  }
}
