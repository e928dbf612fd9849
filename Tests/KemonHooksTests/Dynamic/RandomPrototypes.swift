// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import KemonHooks
  import KemonTestSupport

  /// Prototypes and values at random, the same in every run.
  struct RandomPrototypes {
    private var random = SeededRandom(seed: 0x6B65_6D6F_6E)

    private static let scalars = HookType.allCases.filter { $0 != .void }
    /// What C passes behind `...` as it is.
    private static let promoted: [HookType] = [.i32, .u32, .i64, .u64, .f64, .ptr, .cstr]

    mutating func prototype() throws -> DynamicPrototype {
      let result = chance(8) ? .scalar(.void) : type(depth: 0)
      let count = Int.random(in: 0...(chance(6) ? 20 : 8), using: &random)
      let fixed = count > 0 && chance(10) ? Int.random(in: 1...count, using: &random) : nil
      var words = (0..<count).map { index in
        index < fixed ?? count ? type(depth: 0).description : variadicType().description
      }
      if let fixed { words.insert("...", at: fixed) }
      return try DynamicPrototype("\(result)(\(words.joined(separator: ",")))")
    }

    private mutating func chance(_ one: Int) -> Bool {
      Int.random(in: 0..<one, using: &random) == 0
    }

    private mutating func type(depth: Int) -> DynamicType {
      if depth < 3, chance(3) {
        let count = Int.random(in: 1...4, using: &random)
        return .structure((0..<count).map { _ in type(depth: depth + 1) })
      }
      return chance(12) ? .longDouble : .scalar(Self.scalars.randomElement(using: &random) ?? .i32)
    }

    private mutating func variadicType() -> DynamicType {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: .longDouble
      case 1: .structure([type(depth: 2), type(depth: 3)])
      default: .scalar(Self.promoted.randomElement(using: &random) ?? .i32)
      }
    }

    /// A value of a type; floating point numbers are finite, so that they are equal to themselves.
    mutating func value(of type: DynamicType) -> DynamicValue {
      switch type {
      case .scalar(.void): .void
      case .scalar(.bool): .bool(chance(2))
      case .scalar(.i8): .signed(Int64(Int8.random(in: .min ... .max, using: &random)))
      case .scalar(.i16): .signed(Int64(Int16.random(in: .min ... .max, using: &random)))
      case .scalar(.i32): .signed(Int64(Int32.random(in: .min ... .max, using: &random)))
      case .scalar(.i64): .signed(.random(in: .min ... .max, using: &random))
      case .scalar(.u8): .unsigned(UInt64(UInt8.random(in: .min ... .max, using: &random)))
      case .scalar(.u16): .unsigned(UInt64(UInt16.random(in: .min ... .max, using: &random)))
      case .scalar(.u32): .unsigned(UInt64(UInt32.random(in: .min ... .max, using: &random)))
      case .scalar(.u64): .unsigned(.random(in: .min ... .max, using: &random))
      case .scalar(.ptr), .scalar(.cstr): .pointer(.random(in: .min ... .max, using: &random))
      case .scalar(.f32): .float(.random(in: -1e30...1e30, using: &random))
      case .scalar(.f64): .double(.random(in: -1e300...1e300, using: &random))
      case .longDouble: .longDouble(.random(in: -1e4000...1e4000, using: &random))
      case .structure(let members): .structure(members.map { value(of: $0) })
      }
    }

    mutating func arguments(of prototype: DynamicPrototype) -> [DynamicValue] {
      prototype.arguments.map { value(of: $0) }
    }
  }
#endif
