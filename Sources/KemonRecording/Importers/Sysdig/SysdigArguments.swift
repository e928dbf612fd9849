// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The free text in which sysdig shows the arguments of a call: `fd=3(<f>/tmp/a) name=/tmp/a flags=1(O_RDONLY) mode=0 `.
///
/// It is made for people: names are not quoted, and bytes that cannot be printed are shown as dots. A file may be
/// called `x flags=1`; that is why a text ends at the last place where the next field can begin.
struct SysdigArguments {
  private let text: String

  init(_ text: String) { self.text = " " + text }

  /// The text of a field, up to the fields that come behind it.
  ///
  /// - Parameters:
  ///   - key: the name of the field; where it can begin at several places, the first is taken.
  ///   - following: the fields that can come next. Without any, the text goes to the end.
  func text(_ key: String, before following: [String] = []) -> Substring? {
    guard let start = text.range(of: " \(key)=")?.upperBound else { return nil }
    let rest = text[start...]
    let ends = following.compactMap { rest.range(of: " \($0)=", options: .backwards)?.lowerBound }
    guard let end = ends.min() else { return rest.hasSuffix(" ") ? rest.dropLast() : rest }
    return rest[..<end]
  }

  /// A field without spaces, at the last place where it can begin.
  func word(_ key: String) -> Substring? {
    guard let start = text.range(of: " \(key)=", options: .backwards)?.upperBound else {
      return nil
    }
    return text[start...].prefix { $0 != " " }
  }

  /// A path, up to the fields that come behind it.
  func path(_ key: String, before following: [String] = []) -> String? {
    text(key, before: following).flatMap(Self.resolved)
  }

  /// The names in parentheses behind a number, as in `4098(O_WRONLY|O_CLOEXEC)`.
  func flagNames(_ key: String) -> [Substring] {
    guard let word = word(key), let open = word.firstIndex(of: "("), word.last == ")" else {
      return []
    }
    return word[word.index(after: open)...].dropLast().split(separator: "|")
  }

  /// What sysdig made of a path: behind a relative one stands the whole one, as in `./a(/tmp/a)`.
  private static func resolved(_ path: Substring) -> String? {
    if path.isEmpty || path == "<NA>" || path == "NULL" { return nil }
    guard path.first != "/", path.last == ")" else { return String(path) }
    // Where the whole path begins cannot be told for sure: parentheses are fine in names.
    guard let open = path.range(of: "(/")?.lowerBound ?? path.firstIndex(of: "(") else {
      return String(path)
    }
    let whole = path[path.index(after: open)...].dropLast()
    return whole.isEmpty ? String(path) : String(whole)
  }
}
