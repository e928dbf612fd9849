// SPDX-License-Identifier: Apache-2.0

/// A line of Santa's log: `[TIME] I santad: action=NAME|key=value|…`.
struct SantaLine {
  /// Why a line is no event.
  enum Failure: Error, Equatable {
    /// Something that Santa or the system says in its log.
    case notAnEvent
    /// It should be one, but is cut or damaged.
    case broken(String)
  }

  /// Nanoseconds since 1970.
  let time: UInt64
  /// What was done, as in `EXEC`.
  let action: String
  private let fields: [Substring: Substring]

  init(_ text: String) throws(Failure) {
    // Compared byte by byte: a mark that combines with the sign before it must not hide that sign.
    let bytes = text.utf8
    guard bytes.first == UInt8(ascii: "["), let close = bytes.firstIndex(of: UInt8(ascii: "]"))
    else { throw .broken("it does not begin with a time in brackets") }
    let stamp = text[text.utf8.index(after: text.startIndex)..<close]
    guard let time = TimeStamp.nanoseconds(stamp) else {
      throw .broken("\"\(Printable.text(stamp))\" is no time like 2018-08-19T03:09:13.120Z")
    }
    guard let start = bytes[close...].firstRange(of: "action=".utf8)?.lowerBound else {
      throw .notAnEvent
    }
    var fields: [Substring: Substring] = [:]
    var rest = bytes[start...]
    while !rest.isEmpty {
      guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
        throw .broken("the field \"\(Printable.text(Substring(rest)))\" has no value")
      }
      let key = Substring(rest[..<equals])
      let value = rest[rest.index(after: equals)...]
      // `args` is the last field: nothing behind it is split.
      let end = key == "args" ? nil : value.firstIndex(of: UInt8(ascii: "|"))
      // The first of a name counts: what stands in a path cannot replace what Santa wrote before it.
      if fields[key] == nil { fields[key] = Substring(value[..<(end ?? value.endIndex)]) }
      rest = end.map { value[value.index(after: $0)...] } ?? value[value.endIndex...]
    }
    guard let action = fields["action"] else { throw .notAnEvent }
    self.time = time
    self.action = String(action)
    self.fields = fields
  }

  /// The value of a field; nil when it is absent or Santa does not know it.
  subscript(_ key: Substring) -> Substring? {
    guard let value = fields[key], value != "(null)" else { return nil }
    return value
  }

  /// The value of a field that others chose, as it was: Santa writes `<pipe>` for the bar that separates fields.
  func text(_ key: Substring) -> String? {
    self[key].map { String($0.replacing("<pipe>", with: "|")) }
  }

  /// The value of a field that is a number.
  func number<Value: FixedWidthInteger>(_ key: Substring) -> Value? {
    self[key].flatMap { Value($0) }
  }
}
