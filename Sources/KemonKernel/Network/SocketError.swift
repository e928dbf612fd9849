// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// Why a call on a socket failed: Darwin's number of an error.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Darwin's number; they differ from Linux'.
  public let number: Int32

  init(_ number: Int32) { self.number = number }

  /// Fails unless the number is 0.
  static func check(_ number: Int32) throws(SocketError) {
    if number != 0 { throw SocketError(number) }
  }

  /// The error of that name in Darwin's headers.
  static func named(_ name: String) -> SocketError {
    SocketError(ErrnoName.named(name)?.darwin ?? 22)
  }

  /// The error of a Linux number, as verdicts have it.
  init(linux number: Int32) {
    self.init(DarwinErrno.darwin(number))
  }

  /// Linux' number of it, as records have it.
  public var linux: Int32 { DarwinErrno.linux(number) }

  /// The name, as in `ECONNREFUSED`.
  public var description: String {
    ErrnoName.all.first { $0.darwin == number }?.name ?? "error \(number)"
  }

  static let badDescriptor = SocketError(9)
  static let accessDenied = SocketError(13)
  static let invalid = SocketError(22)
  static let wouldBlock = SocketError(35)
  static let addressInUse = SocketError(48)
  static let addressNotAvailable = SocketError(49)
  static let noBuffers = SocketError(55)
  static let isConnected = SocketError(56)
  static let notConnected = SocketError(57)
  static let timedOut = SocketError(60)
  static let connectionRefused = SocketError(61)
  static let hostUnreachable = SocketError(65)
  static let familyNotSupported = SocketError(47)
  static let noDevice = SocketError(6)
  static let pipe = SocketError(32)
  static let notTTY = SocketError(25)
}
