// SPDX-License-Identifier: Apache-2.0

/// Which rule a DNS message breaks, and where.
public struct DNSError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rule.
  public enum Code: String, Hashable, Sendable {
    /// Fewer than 12 bytes.
    case shortHeader = "header cut short"
    /// A name, or the type and class behind it, ends outside the message.
    case truncated = "name cut short"
    /// The first two bits of a length are 01 or 10.
    case badLabel = "unknown kind of label"
    /// A compression pointer that points at what comes after it.
    case forwardPointer = "pointer forward"
    /// A compression pointer that points at itself.
    case selfPointer = "pointer to itself"
    /// A compression pointer into the name that it belongs to.
    case loop = "pointer into its own name"
    /// More pointers in a name than it can have labels.
    case tooManyPointers = "too many pointers"
    /// More than 255 bytes of name.
    case nameTooLong = "name above 255 bytes"
    /// A resource record ends outside the message before its data.
    case truncatedRecord = "resource record cut short"
    /// The data of a resource record ends outside the message.
    case truncatedData = "data of a resource record cut short"
  }

  /// The rule.
  public let code: Code
  /// Offset from the start of the message, in bytes.
  public let offset: Int

  init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  /// The rule and the place.
  public var description: String { "DNS byte \(offset): \(code.rawValue)" }
}
