// SPDX-License-Identifier: Apache-2.0

/// The prototype of a function, read when the program runs.
///
/// ```
/// i32(ptr, cstr, u64)          numbers and pointers
/// f64({i64, f64}, f80)         structures by value, long double
/// i32(cstr, ..., i32, f64)     one way to call a variadic function
/// ```
///
/// Where ``HookPrototype`` gives handlers the places of arguments that the program knows, this one gives them a list:
/// see ``HookEngine/attach(entry:prototype:_:pre:post:)``, ``HookEngine/replace(entry:prototype:with:)`` and
/// ``DynamicFunction``.
public struct DynamicPrototype: Sendable, Hashable, CustomStringConvertible {
  /// The type of the result.
  public let result: DynamicType
  /// The types of the arguments.
  public let arguments: [DynamicType]
  /// How many arguments stand before `...`; nil without.
  public let fixedCount: Int?

  /// Reads a prototype.
  ///
  /// - Throws: what can not be read, and at which column.
  public init(_ text: String) throws(PrototypeError) {
    var parser = PrototypeParser(text)
    (result, arguments, fixedCount) = try parser.prototype()
  }

  /// As ``init(_:)`` reads it.
  public var description: String {
    var words = arguments.map(\.description)
    if let fixedCount { words.insert("...", at: fixedCount) }
    return "\(result)(\(words.joined(separator: ",")))"
  }
}
