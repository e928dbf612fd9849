// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import KemonPlatform

/// Why the original's messages can not be served.
public struct OriginalServerError: Error, Sendable, CustomStringConvertible {
  /// The rule that stands in the way.
  public enum Code: Sendable {
    /// The path does not fit into a socket's address, or is empty.
    case badPath
    /// Something else than a socket is there.
    case pathTaken
    /// Another server listens there.
    case alreadyServed
    /// The system refuses.
    case system
  }

  /// The rule.
  public let code: Code
  /// The socket's path and what is wrong with it.
  public let description: String

  init(_ code: Code, _ path: String, _ message: String) {
    self.code = code
    description = "\(path): \(message)"
  }

  init(_ error: UnixSocketError) {
    let code: Code =
      switch error.code {
      case .badPath: .badPath
      case .pathTaken: .pathTaken
      case .alreadyServed: .alreadyServed
      case .system: .system
      }
    self.init(code, error.path, error.message)
  }

  /// The system's reason: that of errno.
  static func system(_ call: String, _ path: String) -> OriginalServerError {
    OriginalServerError(.system, path, "\(call): \(String(cString: strerror(errno)))")
  }
}
