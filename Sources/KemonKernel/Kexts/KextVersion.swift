// SPDX-License-Identifier: Apache-2.0

/// The version of a kext: up to three numbers and a stage, as in `1.2.3b4`.
///
/// Stages are ordered d < a < b < fc < release; `f` is another name of `fc`.
public struct KextVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The text that the version was made from.
  public let description: String
  // Compared from left to right; the stage of a release is the highest.
  private let parts: [UInt32]

  /// Reads a version.
  ///
  /// - Returns: nil unless it has one to three numbers (below 10000, 100, 100), optionally followed by a stage and a
  ///   number from 1 to 255.
  public init?(parsing text: String) {
    var rest = text.utf8[...]
    var parts: [UInt32] = []
    for limit in [UInt32(9999), 99, 99] {
      guard let number = Self.number(&rest), number <= limit else { return nil }
      parts.append(number)
      guard rest.first == UInt8(ascii: ".") else { break }
      // A dot behind the third number is left over and refused below.
      if parts.count < 3 { rest = rest.dropFirst() }
    }
    parts += repeatElement(0, count: 3 - parts.count)
    if rest.isEmpty {
      parts += [4, 0]
    } else {
      guard let stage = Self.stage(&rest), let level = Self.number(&rest),
        (1...255).contains(level),
        rest.isEmpty
      else { return nil }
      parts += [stage, level]
    }
    self.parts = parts
    description = text
  }

  private static func number(_ text: inout Substring.UTF8View) -> UInt32? {
    let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...4).contains(digits.count) else { return nil }
    text = text[digits.endIndex...]
    return digits.reduce(0) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
  }

  private static func stage(_ text: inout Substring.UTF8View) -> UInt32? {
    for (stage, name) in [(UInt32(0), "d"), (1, "a"), (2, "b"), (3, "fc"), (3, "f")]
    where text.starts(with: name.utf8) {
      text = text.dropFirst(name.utf8.count)
      return stage
    }
    return nil
  }

  /// Whether two texts mean the same version.
  public static func == (left: KextVersion, right: KextVersion) -> Bool {
    left.parts == right.parts
  }

  /// Hashes what is compared.
  public func hash(into hasher: inout Hasher) { hasher.combine(parts) }

  /// Whether one version is older than another.
  public static func < (left: KextVersion, right: KextVersion) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }
}
