// SPDX-License-Identifier: Apache-2.0

/// A number or address of C: a letter of a signature.
enum TypedScalar: String, CaseIterable, Sendable {
  // Named as in C; the letters are those of kemon/typed.h.
  case int8 = "c"
  case uint8 = "C"
  case int16 = "h"
  case uint16 = "H"
  case int32 = "i"
  case uint32 = "I"
  case int64 = "l"
  case uint64 = "L"
  case size = "n"
  case address = "p"
  case float = "f"
  case double = "d"

  /// Bytes of a value, which is also what it is aligned to.
  var size: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float: 4
    case .int64, .uint64, .size, .address, .double: 8
    }
  }

  /// Whether it has a sign; for numbers without a fraction.
  var isSigned: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    default: false
    }
  }

  /// Whether it is passed in a vector register.
  var isFloating: Bool { self == .float || self == .double }

  /// How it is written in C.
  var cName: String {
    switch self {
    case .int8: "int8_t"
    case .uint8: "uint8_t"
    case .int16: "int16_t"
    case .uint16: "uint16_t"
    case .int32: "int32_t"
    case .uint32: "uint32_t"
    case .int64: "int64_t"
    case .uint64: "uint64_t"
    case .size: "size_t"
    case .address: "uint64_t (an address)"
    case .float: "float"
    case .double: "double"
    }
  }
}
