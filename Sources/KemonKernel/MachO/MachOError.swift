// SPDX-License-Identifier: Apache-2.0

/// Why a file, or a part of it, is no kext that can be read.
public struct MachOError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The rule that is broken.
  public enum Code: Sendable {
    /// The file cannot be opened or read.
    case unreadable
    /// It is something else: no Mach-O file, not a kext, or for a processor that is not known.
    case unsupported
    /// A number in it points out of it, or contradicts another.
    case malformed
  }

  /// The rule that is broken.
  public let code: Code
  /// The file, as it was given.
  public let file: String
  /// Where in the file: bytes from its beginning.
  public let offset: UInt64
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, file: String, offset: UInt64 = 0, _ message: String) {
    self.code = code
    self.file = file
    self.offset = offset
    self.message = message
  }

  /// The message with its place.
  public var description: String {
    code == .unreadable
      ? "\(file): \(message)" : "\(file): offset 0x\(String(offset, radix: 16)): \(message)"
  }
}
