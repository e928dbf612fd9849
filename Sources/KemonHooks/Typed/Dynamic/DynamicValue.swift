// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  /// A value of a type that is known only when the program runs.
  public enum DynamicValue: Sendable, Hashable {
    /// The result of a function that has none.
    case void
    /// `bool`.
    case bool(Bool)
    /// `i8` to `i64`.
    case signed(Int64)
    /// `u8` to `u64`.
    case unsigned(UInt64)
    /// `ptr` and `cstr`: an address.
    case pointer(UInt)
    /// `f32`.
    case float(Float)
    /// `f64`.
    case double(Double)
    /// `f80`.
    case longDouble(Float80)
    /// The members of a structure.
    case structure([DynamicValue])

    /// Reads a value from memory as C has it there; the address need not be aligned.
    init(_ type: DynamicType, at address: UnsafeRawPointer) {
      switch type {
      case .scalar(.void): self = .void
      case .scalar(.bool): self = .bool(address.loadUnaligned(as: UInt8.self) != 0)
      case .scalar(.i8): self = .signed(Int64(address.loadUnaligned(as: Int8.self)))
      case .scalar(.i16): self = .signed(Int64(address.loadUnaligned(as: Int16.self)))
      case .scalar(.i32): self = .signed(Int64(address.loadUnaligned(as: Int32.self)))
      case .scalar(.i64): self = .signed(address.loadUnaligned(as: Int64.self))
      case .scalar(.u8): self = .unsigned(UInt64(address.loadUnaligned(as: UInt8.self)))
      case .scalar(.u16): self = .unsigned(UInt64(address.loadUnaligned(as: UInt16.self)))
      case .scalar(.u32): self = .unsigned(UInt64(address.loadUnaligned(as: UInt32.self)))
      case .scalar(.u64): self = .unsigned(address.loadUnaligned(as: UInt64.self))
      case .scalar(.ptr), .scalar(.cstr): self = .pointer(address.loadUnaligned(as: UInt.self))
      case .scalar(.f32): self = .float(address.loadUnaligned(as: Float.self))
      case .scalar(.f64): self = .double(address.loadUnaligned(as: Double.self))
      case .longDouble: self = .longDouble(address.loadUnaligned(as: Float80.self))
      case .structure(let members):
        var values: [DynamicValue] = []
        DynamicType.forEachMember(of: members) { member, offset in
          values.append(DynamicValue(member, at: address + offset))
        }
        self = .structure(values)
      }
    }

    /// Writes the value to memory as C has it there; padding stays as it is.
    ///
    /// - Throws: when it is no value of the type; some members of a structure may have been written then.
    func store(as type: DynamicType, at address: UnsafeMutableRawPointer) throws(PrototypeError) {
      switch (type, self) {
      case (.scalar(.void), .void): break
      case (.scalar(.bool), .bool(let value)):
        address.storeBytes(of: value ? 1 : 0, as: UInt8.self)
      case (.scalar(.i8), .signed(let value)): try store(Int8(exactly: value), type, at: address)
      case (.scalar(.i16), .signed(let value)): try store(Int16(exactly: value), type, at: address)
      case (.scalar(.i32), .signed(let value)): try store(Int32(exactly: value), type, at: address)
      case (.scalar(.i64), .signed(let value)): try store(value, type, at: address)
      case (.scalar(.u8), .unsigned(let value)):
        try store(UInt8(exactly: value), type, at: address)
      case (.scalar(.u16), .unsigned(let value)):
        try store(UInt16(exactly: value), type, at: address)
      case (.scalar(.u32), .unsigned(let value)):
        try store(UInt32(exactly: value), type, at: address)
      case (.scalar(.u64), .unsigned(let value)): try store(value, type, at: address)
      case (.scalar(.ptr), .pointer(let value)), (.scalar(.cstr), .pointer(let value)):
        address.storeBytes(of: value, as: UInt.self)
      case (.scalar(.f32), .float(let value)): address.storeBytes(of: value, as: Float.self)
      case (.scalar(.f64), .double(let value)): address.storeBytes(of: value, as: Double.self)
      case (.longDouble, .longDouble(let value)):
        address.storeBytes(of: value, as: Float80.self)
      case (.structure(let members), .structure(let values)) where members.count == values.count:
        var rest = values[...]
        try DynamicType.forEachMember(of: members) { (member, offset) throws(PrototypeError) in
          try rest.removeFirst().store(as: member, at: address + offset)
        }
      default: throw PrototypeError(.wrongValue, "\(self) is no value of type \(type)")
      }
    }

    private func store<Value: FixedWidthInteger & BitwiseCopyable>(
      _ value: Value?, _ type: DynamicType, at address: UnsafeMutableRawPointer
    ) throws(PrototypeError) {
      guard let value else { throw PrototypeError(.wrongValue, "\(type) can not hold \(self)") }
      address.storeBytes(of: value, as: Value.self)
    }
  }
#endif
