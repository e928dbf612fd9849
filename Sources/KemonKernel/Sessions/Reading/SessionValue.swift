// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// A value of a session's text, with its place.
///
/// Checked against its ``SessionType`` before anybody reads it: reading it as something else is a mistake in the
/// program, and traps.
struct SessionValue: Sendable {
  let node: JSONNode
  /// Where it is in the JSON, as in `kexts[0].base`.
  let path: String
  let text: SessionText

  /// Says what is wrong with the value, with its place.
  func error(_ message: String) -> SessionError {
    text.error(at: node.offset, path: path, message)
  }

  /// The line where it begins, from 1.
  var line: Int { text.line(at: node.offset) }

  // MARK: What it is

  /// A text.
  var string: String {
    guard let string = stringIfAny else { mistake("a text") }
    return string
  }

  /// A path, seen from the folder of the session's file.
  var pathInFolder: String {
    let path = string
    guard !path.hasPrefix("/"), let end = text.file.lastIndex(of: "/") else { return path }
    return text.file[...end] + path
  }

  /// True or false.
  var flag: Bool {
    guard case .bool(let flag) = node.content else { mistake("true or false") }
    return flag
  }

  /// A whole number.
  func integer<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value {
    guard let value = number.flatMap(Value.init(exactly:)) else { mistake("a \(type)") }
    return value
  }

  /// An unsigned number of 64 bits, also written as a text such as `"0x16000"`.
  var address: UInt64 {
    guard let value = addressIfAny else { mistake("an address") }
    return value
  }

  /// The version of a kext.
  var version: KextVersion {
    guard let version = KextVersion(parsing: string) else { mistake("a version") }
    return version
  }

  /// Bytes, written as a text of hexadecimal digits.
  var bytes: [UInt8] {
    guard let bytes = HexText.bytes(string) else { mistake("bytes") }
    return bytes
  }

  /// The elements of a list.
  var elements: [SessionValue] {
    guard case .array(let nodes) = node.content else { mistake("a list") }
    return nodes.enumerated().map { index, node in
      SessionValue(node: node, path: "\(path)[\(index)]", text: text)
    }
  }

  /// The members of an object.
  var members: SessionMembers {
    guard case .object(let members) = node.content else { mistake("an object") }
    return SessionMembers(members, of: self)
  }

  // MARK: What it may be

  var stringIfAny: String? {
    if case .string(let string) = node.content { string } else { nil }
  }

  var number: Int128? {
    guard case .integer(let number) = node.content else { return nil }
    return number
  }

  var addressIfAny: UInt64? {
    if let number { return UInt64(exactly: number) }
    guard case .string(let string) = node.content, string.hasPrefix("0x") else { return nil }
    return UInt64(string.dropFirst(2), radix: 16)
  }

  private func mistake(_ needed: String) -> Never {
    preconditionFailure("\(path) was not checked to be \(needed)")
  }
}
