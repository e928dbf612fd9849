// SPDX-License-Identifier: Apache-2.0

import KemonFFI

extension CallInterface {
  /// Describes a function of a signature.
  ///
  /// - Parameter result: nil for none.
  static func of(_ arguments: [TypedType], returning result: TypedType?) -> CallInterface {
    let types = arguments.map(\.callType)
    // Every type of a signature is one of libffi's, or a structure of them that is not empty.
    guard let interface = CallInterface(types, returning: result?.callType ?? .void) else {
      preconditionFailure("libffi can not make a call of \(arguments.map(\.text))")
    }
    return interface
  }
}

extension TypedType {
  fileprivate var callType: CallType {
    switch self {
    case .scalar(let scalar): scalar.callType
    case .pointer, .text, .bytes, .event: .pointer
    case .structure(let members): .structure(members.map(\.callType))
    }
  }
}

extension TypedScalar {
  fileprivate var callType: CallType {
    switch self {
    case .int8: .int8
    case .uint8: .uint8
    case .int16: .int16
    case .uint16: .uint16
    case .int32: .int32
    case .uint32: .uint32
    case .int64: .int64
    case .uint64, .size, .address: .uint64
    case .float: .float
    case .double: .double
    }
  }
}
