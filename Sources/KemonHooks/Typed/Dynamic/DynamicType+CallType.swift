// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import KemonFFI

  extension DynamicPrototype {
    /// What libffi knows of the prototype.
    ///
    /// - Throws: when libffi refuses.
    func callInterface() throws(PrototypeError) -> CallInterface {
      guard
        let interface = CallInterface(
          arguments.map(\.callType), returning: result.returnedType, fixed: fixedCount)
      else { throw PrototypeError(.tooLarge, "\(self): libffi can not make such a call") }
      return interface
    }
  }

  extension DynamicType {
    /// A structure of nothing but a long double is returned like one, which libffi 3.4 does not know.
    fileprivate var returnedType: CallType {
      if case .structure(let members) = self, members.count == 1,
        case .longDouble = members[0].returnedType
      {
        return .longDouble
      }
      return callType
    }

    fileprivate var callType: CallType {
      switch self {
      case .scalar(let scalar): scalar.callType
      case .longDouble: .longDouble
      case .structure(let members): .structure(members.map(\.callType))
      }
    }
  }

  extension HookType {
    fileprivate var callType: CallType {
      switch self {
      case .void: .void
      case .bool, .u8: .uint8
      case .i8: .int8
      case .i16: .int16
      case .u16: .uint16
      case .i32: .int32
      case .u32: .uint32
      case .i64: .int64
      case .u64: .uint64
      case .ptr, .cstr: .pointer
      case .f32: .float
      case .f64: .double
      }
    }
  }
#endif
