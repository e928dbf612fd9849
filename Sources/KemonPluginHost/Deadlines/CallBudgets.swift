// SPDX-License-Identifier: Apache-2.0

/// How long calls of handlers may take, as an operator says.
///
/// What is said for a handler counts more than what is said for its plugin, that more than what the handler declares, and
/// that more than the standard.
public struct CallBudgets: Sendable, Equatable {
  /// Nanoseconds for handlers that declare nothing; 0 for as long as they like.
  public var standard: UInt64 = 0
  /// Nanoseconds by `plugin` or `plugin/handler`; 0 for as long as they like.
  public var named: [String: UInt64] = [:]

  /// Nothing is said: handlers have what they declare.
  public init() {}

  /// Why a text is not a budget.
  public struct TextError: Error, Equatable, CustomStringConvertible {
    /// What was found and what is needed.
    public let description: String
  }

  /// Adds what a text says: `50ms` for all, `path-guard=20ms` for a plugin, `path-guard/check=none` for a handler.
  ///
  /// - Throws: what is wrong with the text.
  public mutating func add(_ text: String) throws(TextError) {
    guard let equals = text.lastIndex(of: "=") else {
      standard = try Self.nanoseconds(text)
      return
    }
    let name = String(text[..<equals])
    guard !name.isEmpty else { throw TextError(description: "found no name in \"\(text)\"") }
    named[name] = try Self.nanoseconds(String(text[text.index(after: equals)...]))
  }

  /// Reads a time: a number and `us`, `ms` or `s`; or `none`.
  private static func nanoseconds(_ text: String) throws(TextError) -> UInt64 {
    if text == "none" { return 0 }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit: UInt64? =
      switch text.dropFirst(digits.count) {
      case "us": 1000
      case "ms": 1_000_000
      case "s": 1_000_000_000
      default: nil
      }
    guard let unit, let number = UInt64(digits), number > 0, number <= CallBudget.limit / unit
    else {
      throw TextError(
        description: "found \"\(text)\", needed is a time of at most an hour, as in 50ms, 200us "
          + "or 2s, or none")
    }
    return number * unit
  }

  /// Nanoseconds for a handler.
  ///
  /// - Parameter declared: what its plugin has said; 0 for nothing.
  func nanoseconds(plugin: String, handler: String, declared: UInt64) -> UInt64 {
    if let exact = named["\(plugin)/\(handler)"] ?? named[plugin] { return exact }
    return declared > 0 ? declared : standard
  }
}
