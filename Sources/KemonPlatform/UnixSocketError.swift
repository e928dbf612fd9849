// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why a Unix socket cannot be used.
package struct UnixSocketError: Error, Equatable {
  /// The rule that stands in the way.
  package enum Code: Sendable {
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
  package let code: Code
  /// The socket's path.
  package let path: String
  /// What is wrong with it.
  package let message: String
  /// The system's number where it refuses; 0 otherwise.
  package let number: Int32

  package init(_ code: Code, _ path: String, _ message: String, number: Int32 = 0) {
    self.code = code
    self.path = path
    self.message = message
    self.number = number
  }

  /// The system's reason: that of errno.
  static func system(_ call: String, _ path: String) -> UnixSocketError {
    let number = errno
    return UnixSocketError(
      .system, path, "\(call): \(String(cString: strerror(number)))", number: number)
  }
}
