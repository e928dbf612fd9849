// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// A type of C in the prototype of a MAC operation, as a 64-bit kernel passes it.
public struct MACType: Sendable, Hashable {
  /// How a value is passed.
  enum Shape: Sendable, Hashable {
    case none
    /// An integer or a pointer.
    case integer(bytes: Int, isSigned: Bool)
    /// A structure by value, with what its parts of 64 bits are called.
    case structure(words: [String])
  }

  /// The type as it is written in C.
  public let name: String
  let shape: Shape

  /// Takes a type by its spelling; nil when its size is not known.
  init?(_ name: String) {
    guard let type = CType(name) else { return nil }
    self.name = name
    shape =
      switch type.shape {
      case .void: .none
      case .integer(let bytes, let isSigned): .integer(bytes: bytes, isSigned: isSigned)
      case .address: .integer(bytes: 8, isSigned: false)
      case .structure(let words): .structure(words: words)
      }
  }

  /// How many words of 64 bits a value takes in the arguments of an event.
  public var words: Int {
    switch shape {
    case .none: 0
    case .integer: 1
    case .structure(let words): words.count
    }
  }

  /// Whether it is passed as one word.
  var isPlain: Bool { if case .structure = shape { false } else { true } }
}
