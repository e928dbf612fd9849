// SPDX-License-Identifier: Apache-2.0

internal import CFFI

// Unchecked: everything behind the pointers is written while it is made, and only read afterwards.
/// What libffi knows of a function, with all memory that this takes.
final class CallInterface: @unchecked Sendable {
  /// The description.
  let cif: UnsafeMutablePointer<ffi_cif>
  private var structures: [UnsafeMutablePointer<ffi_type>] = []
  private var lists: [UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>] = []

  /// Describes a function.
  ///
  /// - Parameter result: nil for none.
  init(_ arguments: [TypedType], returning result: TypedType?) {
    cif = .allocate(capacity: 1)
    cif.initialize(to: ffi_cif())
    let status = cffi_prepare(
      cif, -1, UInt32(arguments.count), result.map(type) ?? cffi_void(), list(arguments))
    // Every type of a signature is one of libffi's, or a structure of them that is not empty.
    precondition(status == FFI_OK, "libffi can not make a call of \(arguments.map(\.text))")
  }

  deinit {
    for structure in structures { structure.deallocate() }
    for list in lists { list.deallocate() }
    cif.deallocate()
  }

  /// The types, with a null pointer behind them.
  private func list(
    _ types: [TypedType]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(
      capacity: types.count + 1)
    list.initialize(repeating: nil, count: types.count + 1)
    lists.append(list)
    for (index, type) in types.enumerated() { list[index] = self.type(type) }
    return list
  }

  private func type(_ type: TypedType) -> UnsafeMutablePointer<ffi_type> {
    switch type {
    case .scalar(let scalar): return Self.type(scalar)
    case .pointer, .text, .bytes, .event: return cffi_pointer()
    case .structure(let members):
      let structure = UnsafeMutablePointer<ffi_type>.allocate(capacity: 1)
      structures.append(structure)
      structure.initialize(
        to: ffi_type(
          size: 0, alignment: 0, type: UInt16(FFI_TYPE_STRUCT), elements: list(members)))
      return structure
    }
  }

  private static func type(_ scalar: TypedScalar) -> UnsafeMutablePointer<ffi_type> {
    switch scalar {
    case .int8: cffi_sint8()
    case .uint8: cffi_uint8()
    case .int16: cffi_sint16()
    case .uint16: cffi_uint16()
    case .int32: cffi_sint32()
    case .uint32: cffi_uint32()
    case .int64: cffi_sint64()
    case .uint64, .size, .address: cffi_uint64()
    case .float: cffi_float()
    case .double: cffi_double()
    }
  }
}
