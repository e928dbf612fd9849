// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  internal import CFFI

  /// What libffi knows of a prototype.
  ///
  /// Unchecked: everything behind the pointers is written while it is made, and only read afterwards.
  final class CallInterface: @unchecked Sendable {
    let cif: UnsafeMutablePointer<ffi_cif>
    private var structures: [UnsafeMutablePointer<ffi_type>] = []
    private var lists: [UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>] = []

    /// - Throws: when libffi refuses.
    init(_ prototype: DynamicPrototype) throws(PrototypeError) {
      cif = .allocate(capacity: 1)
      cif.initialize(to: ffi_cif())
      let result = type(Self.returned(prototype.result))
      let arguments = list(prototype.arguments)
      let status = cffi_prepare(
        cif, Int32(prototype.fixedCount ?? -1), UInt32(prototype.arguments.count), result,
        arguments)
      guard status == FFI_OK else {
        throw PrototypeError(.tooLarge, "\(prototype): libffi can not make such a call")
      }
    }

    deinit {
      for structure in structures { structure.deallocate() }
      for list in lists { list.deallocate() }
      cif.deallocate()
    }

    /// A structure of nothing but a long double is returned like one, which libffi 3.4 does not know.
    private static func returned(_ type: DynamicType) -> DynamicType {
      if case .structure(let members) = type, members.count == 1 {
        let only = returned(members[0])
        if only == .longDouble { return only }
      }
      return type
    }

    /// The types, with a null pointer behind them.
    private func list(
      _ types: [DynamicType]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?> {
      let list = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(
        capacity: types.count + 1)
      list.initialize(repeating: nil, count: types.count + 1)
      lists.append(list)
      for (index, type) in types.enumerated() { list[index] = self.type(type) }
      return list
    }

    private func type(_ type: DynamicType) -> UnsafeMutablePointer<ffi_type> {
      switch type {
      case .scalar(.void): return cffi_void()
      case .scalar(.bool), .scalar(.u8): return cffi_uint8()
      case .scalar(.i8): return cffi_sint8()
      case .scalar(.i16): return cffi_sint16()
      case .scalar(.u16): return cffi_uint16()
      case .scalar(.i32): return cffi_sint32()
      case .scalar(.u32): return cffi_uint32()
      case .scalar(.i64): return cffi_sint64()
      case .scalar(.u64): return cffi_uint64()
      case .scalar(.ptr), .scalar(.cstr): return cffi_pointer()
      case .scalar(.f32): return cffi_float()
      case .scalar(.f64): return cffi_double()
      case .longDouble: return cffi_longdouble()
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
#endif
