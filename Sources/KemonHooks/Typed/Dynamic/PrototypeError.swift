// SPDX-License-Identifier: Apache-2.0

/// Why a prototype that came at run time, or a value for it, is refused.
public struct PrototypeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The rule that stands in the way.
  public enum Code: Sendable {
    /// The text is not `result(argument, …)`.
    case syntax
    /// A word that is no type.
    case unknownType
    /// A type where it can not be: `void` as an argument, `f32` behind `...`.
    case misplacedType
    /// More or larger than calls are described here.
    case tooLarge
    /// There is no argument of that number.
    case noSuchArgument
    /// A value of another type, or one that the type can not hold.
    case wrongValue
  }

  /// The rule that stands in the way.
  public let code: Code
  /// Where in the prototype's text, in characters from 1; nil when it is not about the text.
  public let column: Int?
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, column: Int? = nil, _ message: String) {
    self.code = code
    self.column = column
    self.message = message
  }

  /// The message with its place.
  public var description: String { column.map { "column \($0): \(message)" } ?? message }
}
