// SPDX-License-Identifier: Apache-2.0

/// An error number of a denial: Linux numbers, which the host translates where it needs Darwin's.
public struct Errno: RawRepresentable, Hashable, Sendable {
  /// The Linux number.
  public let rawValue: Int32

  /// Takes any Linux number.
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The error of that name, as in `"EACCES"`; nil when Linux has none of it.
  public init?(named name: String) {
    guard let number = ErrnoName.named(name)?.linux else { return nil }
    rawValue = number
  }
}

// The names of the C headers: everybody knows them, nobody knows another spelling.
// swift-format-ignore: AlwaysUseLowerCamelCase
extension Errno {
  /// Operation not permitted.
  @inlinable public static var EPERM: Errno { Errno(rawValue: 1) }
  /// No such file or directory.
  @inlinable public static var ENOENT: Errno { Errno(rawValue: 2) }
  /// No such process.
  @inlinable public static var ESRCH: Errno { Errno(rawValue: 3) }
  /// Input/output error.
  @inlinable public static var EIO: Errno { Errno(rawValue: 5) }
  /// Permission denied.
  @inlinable public static var EACCES: Errno { Errno(rawValue: 13) }
  /// Device or resource busy.
  @inlinable public static var EBUSY: Errno { Errno(rawValue: 16) }
  /// File exists.
  @inlinable public static var EEXIST: Errno { Errno(rawValue: 17) }
  /// Invalid argument.
  @inlinable public static var EINVAL: Errno { Errno(rawValue: 22) }
  /// Read-only file system.
  @inlinable public static var EROFS: Errno { Errno(rawValue: 30) }
  /// Resource deadlock avoided.
  @inlinable public static var EDEADLK: Errno { Errno(rawValue: 35) }
  /// Network is unreachable.
  @inlinable public static var ENETUNREACH: Errno { Errno(rawValue: 101) }
  /// Connection refused.
  @inlinable public static var ECONNREFUSED: Errno { Errno(rawValue: 111) }
  /// No route to host.
  @inlinable public static var EHOSTUNREACH: Errno { Errno(rawValue: 113) }
}
