// SPDX-License-Identifier: Apache-2.0

/// Why a ring cannot be made or attached to, or does not take a record.
public struct RingError: Error, Equatable, CustomStringConvertible {
  /// What went wrong.
  public enum Code: Sendable {
    /// The record is larger than the ring's limit.
    case recordTooLarge
    /// The measures are impossible.
    case badConfiguration
    /// The kernel gave no memory, no file, or no mapping.
    case noMemory
    /// The file is not a ring, or a ring of another version.
    case notARing
    /// The size of the file can be changed by others, so that reading it could fault.
    case notSealed
    /// Every place for a subscriber is taken.
    case tooManySubscribers
    /// The process on the other side has ended.
    case peerEnded
  }

  /// What went wrong.
  public let code: Code
  /// The errno behind it; 0 when there is none.
  public let errno: Int32
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, errno: Int32 = 0, _ message: String) {
    self.code = code
    self.errno = errno
    self.message = message
  }

  /// The message, with the errno where there is one.
  public var description: String {
    errno == 0 ? "ring: \(message)" : "ring: \(message) (errno \(errno))"
  }
}
