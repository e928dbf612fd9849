// SPDX-License-Identifier: Apache-2.0

/// What a value of a session can be.
///
/// One table of fields makes the reader's checks, its messages, and the published JSON Schema.
indirect enum SessionType: Sendable {
  /// Any text without NUL.
  case text
  /// A text of so many bytes, without NUL.
  case shortText(ClosedRange<Int>)
  /// An absolute path.
  case path
  /// One of some texts.
  case choice([String])
  /// True or false.
  case flag
  /// A whole number.
  case integer(ClosedRange<Int128>)
  /// An unsigned number of 64 bits, or a text such as `"0x16000"`.
  case address
  /// The version of a kext.
  case version
  /// Bytes as hexadecimal digits.
  case bytes
  /// The name of a process of the session.
  case process
  /// The identifier of a kext of the session.
  case kext
  /// A list.
  case list(SessionType)
  /// An object with any members, which are all of one type.
  case map(SessionType)
  /// An object with fixed members.
  case object([SessionField])
  /// An object with fixed members, or the value of one of them alone.
  case short(String, [SessionField])
  /// An object with exactly one member, whose name says what the value is.
  case oneOf([SessionField])

  /// A number that fits a type.
  static func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> SessionType {
    .integer(Int128(Value.min)...Int128(Value.max))
  }
}
