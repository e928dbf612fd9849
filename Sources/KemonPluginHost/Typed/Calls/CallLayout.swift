// SPDX-License-Identifier: Apache-2.0

/// How a function of a signature is called.
public enum CallLane: String, Sendable {
  /// Every argument is one integer register or stack word: a cast is enough.
  case fast
  /// libffi puts the arguments where they belong.
  case ffi
  /// The function takes an array of words.
  case words
}

/// Where the values of a signature lie in a frame: words of 64 bits in the order of the arguments.
///
/// ```
/// arguments   context │ value │ value │ … │ verdict ║ values that arguments point at
/// words       value │ value │ … ║ values that words point at
/// ```
struct CallLayout: Sendable {
  /// One argument of C.
  struct Argument: Sendable {
    let type: TypedType
    /// Its first word.
    let word: Int
  }

  /// For each field its first word.
  let places: [Int]
  /// For each field the word that it points at; nil for one that is no pointer.
  let targets: [Int?]
  /// Words of the arguments.
  let argumentWords: Int
  /// Words of the whole frame.
  let frameWords: Int
  /// The arguments of C, for libffi.
  let arguments: [Argument]
  /// How the function is called.
  let lane: CallLane

  /// The most words that the fast lane passes, context and verdict among them.
  static let fastWords = 16

  /// The words that the fast lane passes: as few as one of its calls has that are enough.
  var passedWords: Int { argumentWords <= 6 ? 6 : argumentWords <= 10 ? 10 : Self.fastWords }

  /// Lays out a signature.
  ///
  /// - Parameter hasVerdict: whether the last argument is a `kemon_verdict *`, as handlers have it.
  init(_ signature: TypedSignature, hasVerdict: Bool) {
    let isArray = signature.form == .words
    var arguments: [Argument] = isArray ? [] : [Argument(type: .scalar(.address), word: 0)]
    var next = isArray ? 0 : 1
    var places: [Int] = []
    for field in signature.fields {
      places.append(next)
      arguments += Self.arguments(field.type, at: next)
      next += field.type.words
    }
    if !isArray, hasVerdict {
      arguments.append(Argument(type: .scalar(.address), word: next))
      next += 1
    }
    argumentWords = next
    var targets: [Int?] = []
    for field in signature.fields {
      if case .pointer = field.type {
        targets.append(next)
        next += 1
      } else {
        targets.append(nil)
      }
    }
    self.places = places
    self.targets = targets
    self.arguments = arguments
    frameWords = next
    let isInteger =
      signature.fields.allSatisfy(\.type.isInteger) && signature.result?.isInteger != false
    lane = isArray ? .words : isInteger && argumentWords <= Self.fastWords ? .fast : .ffi
  }

  private static func arguments(_ type: TypedType, at word: Int) -> [Argument] {
    guard type == .bytes else { return [Argument(type: type, word: word)] }
    return [
      Argument(type: .scalar(.address), word: word), Argument(type: .scalar(.size), word: word + 1),
    ]
  }
}
