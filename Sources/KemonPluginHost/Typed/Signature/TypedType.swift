// SPDX-License-Identifier: Apache-2.0

/// The type of an argument in a signature.
indirect enum TypedType: Equatable, Sendable {
  /// A value.
  case scalar(TypedScalar)
  /// A pointer to a value, NULL when there is none.
  case pointer(TypedScalar)
  /// `const char *`, NUL-terminated.
  case text
  /// `const void *, size_t`: two arguments of C.
  case bytes
  /// `const kemon_event *`.
  case event
  /// A structure by value; its members are scalars and structures.
  case structure([TypedType])

  /// Bytes of a value in C.
  var size: Int {
    switch self {
    case .scalar(let scalar): scalar.size
    case .pointer, .text, .event: 8
    case .bytes: 16
    case .structure(let members):
      Self.round(members.reduce(0) { Self.round($0, to: $1.alignment) + $1.size }, to: alignment)
    }
  }

  /// What a value is aligned to in C.
  var alignment: Int {
    switch self {
    case .scalar(let scalar): scalar.size
    case .structure(let members): members.map(\.alignment).max() ?? 1
    default: 8
    }
  }

  /// Words of 64 bits that a value takes in a frame of arguments.
  var words: Int { (size + 7) / 8 }

  /// How many arguments of C it is.
  var argumentCount: Int { self == .bytes ? 2 : 1 }

  /// Whether every argument of it is passed as one integer.
  var isInteger: Bool {
    switch self {
    case .scalar(let scalar): !scalar.isFloating
    case .structure: false
    case .pointer, .text, .bytes, .event: true
    }
  }

  /// As it is written in a signature.
  var text: String {
    switch self {
    case .scalar(let scalar): scalar.rawValue
    case .pointer(let scalar): "*" + scalar.rawValue
    case .text: "z"
    case .bytes: "b"
    case .event: "e"
    case .structure(let members): "{" + members.map(\.text).joined() + "}"
    }
  }

  /// As it is written in C, for messages.
  var cName: String {
    switch self {
    case .scalar(let scalar): scalar.cName
    case .pointer(let scalar): "const \(scalar.cName) *"
    case .text: "const char *"
    case .bytes: "const void *, size_t"
    case .event: "const kemon_event *"
    case .structure: "a struct of \(size) bytes"
    }
  }

  private static func round(_ size: Int, to alignment: Int) -> Int {
    (size + alignment - 1) / alignment * alignment
  }
}
