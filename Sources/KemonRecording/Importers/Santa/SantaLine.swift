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
    guard text.first == "[", let close = text.firstIndex(of: "]") else {
      throw .broken("it does not begin with a time in brackets")
    }
    let stamp = text[text.index(after: text.startIndex)..<close]
    guard let time = TimeStamp.nanoseconds(stamp) else {
      throw .broken("\"\(Printable.text(stamp))\" is no time like 2018-08-19T03:09:13.120Z")
    }
    guard let start = text.range(of: "action=", after: close) else { throw .notAnEvent }
    var fields: [Substring: Substring] = [:]
    // `args` is the last field and may hold bars itself: nothing behind it is split.
    var rest = text[start...]
    while !rest.isEmpty {
      guard let equals = rest.firstIndex(of: "=") else {
        throw .broken("the field \"\(Printable.text(rest))\" has no value")
      }
      let key = rest[..<equals]
      let value = rest[rest.index(after: equals)...]
      let end = key == "args" ? value.endIndex : value.firstIndex(of: "|") ?? value.endIndex
      fields[key] = value[..<end]
      rest = end == value.endIndex ? "" : value[value.index(after: end)...]
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

  /// The value of a field that is a number.
  func number<Value: FixedWidthInteger>(_ key: Substring) -> Value? {
    self[key].flatMap { Value($0) }
  }
}

extension String {
  /// Where a text begins behind a position.
  fileprivate func range(of needle: String, after position: Index) -> Index? {
    var start = position
    while start < endIndex {
      if self[start...].hasPrefix(needle) { return start }
      start = index(after: start)
    }
    return nil
  }
}
