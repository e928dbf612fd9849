// SPDX-License-Identifier: Apache-2.0

/// The free text in which sysdig shows the arguments of a call: `fd=3(<f>/tmp/a) name=/tmp/a flags=1(O_RDONLY) mode=0 `.
///
/// It is made for people: names are not quoted, and bytes that cannot be printed are shown as dots. A file may be
/// called `x flags=1`. So whoever asks for a field says at which of several places it is: what a program that wants to
/// hide can choose must never cut off or replace what it cannot. Everything is compared byte by byte.
struct SysdigArguments {
  /// Which of several places where a field can begin.
  enum Place {
    /// No text that a program chooses stands before it.
    case first
    /// None stands behind it.
    case last
  }

  private let text: Substring

  init(_ text: String) { self.text = Substring(" " + text) }

  private init(_ text: Substring) { self.text = text }

  /// The text of a field, up to the fields that come behind it.
  ///
  /// - Parameters:
  ///   - key: the name of the field, at the first place where it can begin.
  ///   - following: how the fields begin that can come next, as in `flags=`; without any, the text goes to the end.
  ///   - place: where those are.
  func text(
    _ key: String, before following: [String] = [], at place: Place = .last
  ) -> Substring? {
    guard let start = find(" \(key)=", .first, in: text)?.upperBound else { return nil }
    let rest = text[start...]
    let ends = following.compactMap { find(" \($0)", place, in: rest)?.lowerBound }
    guard let end = ends.min() else {
      return rest.utf8.last == UInt8(ascii: " ") ? Substring(rest.utf8.dropLast()) : rest
    }
    return rest[..<end]
  }

  /// A path, up to the fields that come behind it.
  func path(
    _ key: String, before following: [String] = [], at place: Place = .last
  ) -> String? {
    text(key, before: following, at: place).flatMap(Self.resolved)
  }

  /// A field without spaces.
  func word(_ key: String, at place: Place) -> Substring? {
    guard let start = find(" \(key)=", place, in: text)?.upperBound else { return nil }
    return Substring(text[start...].utf8.prefix { $0 != UInt8(ascii: " ") })
  }

  /// The names in parentheses behind a number, as in `4098(O_WRONLY|O_CLOEXEC)`.
  func flagNames(_ key: String, at place: Place) -> [Substring] {
    guard let word = word(key, at: place), let open = word.firstIndex(of: "("), word.last == ")"
    else { return [] }
    return word[word.index(after: open)...].dropLast().split(separator: "|")
  }

  /// What stands behind the first place of a text, as arguments of their own.
  func behind(_ text: String) -> SysdigArguments? {
    find(text, .first, in: self.text).map { SysdigArguments(self.text[$0.upperBound...]) }
  }

  private func find(
    _ needle: String, _ place: Place, in text: Substring
  ) -> Range<String.Index>? {
    switch place {
    case .first: text.utf8.firstRange(of: needle.utf8)
    case .last: text.utf8.ranges(of: needle.utf8).last
    }
  }

  /// What sysdig made of a path: behind a relative one stands the whole one, as in `./a(/tmp/a)`.
  private static func resolved(_ path: Substring) -> String? {
    if path.isEmpty || path == "<NA>" || path == "NULL" { return nil }
    guard path.utf8.first != UInt8(ascii: "/"), path.utf8.last == UInt8(ascii: ")") else {
      return String(path)
    }
    // Where the whole path begins cannot be told for sure: parentheses are fine in names.
    guard
      let open = path.utf8.firstRange(of: "(/".utf8)?.lowerBound
        ?? path.utf8.firstIndex(of: UInt8(ascii: "("))
    else { return String(path) }
    let whole = Substring(path.utf8[path.utf8.index(after: open)...].dropLast())
    return whole.isEmpty ? String(path) : String(whole)
  }
}
