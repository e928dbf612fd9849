// SPDX-License-Identifier: Apache-2.0

package import CFFI

/// A type of C, as libffi tells them apart.
package indirect enum CallType {
  case void, int8, uint8, int16, uint16, int32, uint32, int64, uint64
  case float, double, longDouble, pointer
  /// Not empty.
  case structure([CallType])
}

// Unchecked: everything behind the pointers is written while it is made, and only read afterwards.
/// What libffi knows of a function, with all memory that this takes.
package final class CallInterface: @unchecked Sendable {
  /// The description; lives as long as the object.
  package let cif: UnsafeMutablePointer<ffi_cif>
  private var structures: [UnsafeMutablePointer<ffi_type>] = []
  private var lists: [UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>] = []

  /// Describes a function; nil when libffi cannot make such a call.
  ///
  /// - Parameter fixed: how many arguments stand in front of the dots; nil for a function without dots.
  package init?(_ arguments: [CallType], returning result: CallType, fixed: Int? = nil) {
    cif = .allocate(capacity: 1)
    cif.initialize(to: ffi_cif())
    let result = type(result)
    let status = cffi_prepare(
      cif, Int32(fixed ?? -1), UInt32(arguments.count), result, list(arguments))
    guard status == FFI_OK else { return nil }
  }

  deinit {
    for structure in structures { structure.deallocate() }
    for list in lists { list.deallocate() }
    cif.deallocate()
  }

  /// The types, with a null pointer behind them.
  private func list(
    _ types: [CallType]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(
      capacity: types.count + 1)
    list.initialize(repeating: nil, count: types.count + 1)
    lists.append(list)
    for (index, type) in types.enumerated() { list[index] = self.type(type) }
    return list
  }

  private func type(_ type: CallType) -> UnsafeMutablePointer<ffi_type> {
    switch type {
    case .void: return cffi_void()
    case .int8: return cffi_sint8()
    case .uint8: return cffi_uint8()
    case .int16: return cffi_sint16()
    case .uint16: return cffi_uint16()
    case .int32: return cffi_sint32()
    case .uint32: return cffi_uint32()
    case .int64: return cffi_sint64()
    case .uint64: return cffi_uint64()
    case .float: return cffi_float()
    case .double: return cffi_double()
    case .longDouble: return cffi_longdouble()
    case .pointer: return cffi_pointer()
    case .structure(let members):
      let structure = UnsafeMutablePointer<ffi_type>.allocate(capacity: 1)
      structures.append(structure)
      structure.initialize(
        to: ffi_type(
          size: 0, alignment: 0, type: UInt16(FFI_TYPE_STRUCT), elements: list(members)))
      return structure
    }
  }
}
