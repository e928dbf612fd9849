// SPDX-License-Identifier: Apache-2.0

/// A type of C that a hooked function takes or returns.
public enum HookType: String, Sendable, CaseIterable {
  // Named as in prototypes.
  case void, bool
  case i8, i16, i32, i64
  case u8, u16, u32, u64
  /// Any pointer.
  case ptr
  /// A pointer to text that ends with a zero byte.
  case cstr
  case f32, f64

  /// Whether it is passed in a vector register.
  public var isFloating: Bool { self == .f32 || self == .f64 }
}

/// A Swift type that handlers read and write arguments as.
public protocol HookValue {
  /// The types of C that it stands for.
  static var types: [HookType] { get }
  /// Reads it from a register or a word of the stack; only as many low bytes count as it has.
  init(hookWord: UInt64)
  /// What goes into the register.
  var hookWord: UInt64 { get }
}

extension HookValue where Self: FixedWidthInteger {
  /// Reads the low bytes.
  @inlinable public init(hookWord: UInt64) { self.init(truncatingIfNeeded: hookWord) }
  /// Extended to the whole register.
  @inlinable public var hookWord: UInt64 { UInt64(truncatingIfNeeded: self) }
}

extension Int8: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.i8]
}

extension Int16: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.i16]
}

extension Int32: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.i32]
}

extension Int64: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.i64]
}

extension Int: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.i64]
}

extension UInt8: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.u8]
}

extension UInt16: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.u16]
}

extension UInt32: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.u32]
}

extension UInt64: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.u64]
}

extension UInt: HookValue {
  /// What it stands for in C.
  public static let types: [HookType] = [.u64, .ptr]
}

extension Bool: HookValue {
  /// `bool`.
  public static let types: [HookType] = [.bool]
  /// Reads the low byte.
  @inlinable public init(hookWord: UInt64) { self = hookWord & 0xFF != 0 }
  /// 1 or 0.
  @inlinable public var hookWord: UInt64 { self ? 1 : 0 }
}

extension Double: HookValue {
  /// `double`.
  public static let types: [HookType] = [.f64]
  /// Reads the low eight bytes.
  @inlinable public init(hookWord: UInt64) { self.init(bitPattern: hookWord) }
  /// Its bits.
  @inlinable public var hookWord: UInt64 { bitPattern }
}

extension Float: HookValue {
  /// `float`.
  public static let types: [HookType] = [.f32]
  /// Reads the low four bytes.
  @inlinable public init(hookWord: UInt64) {
    self.init(bitPattern: UInt32(truncatingIfNeeded: hookWord))
  }
  /// Its bits.
  @inlinable public var hookWord: UInt64 { UInt64(bitPattern) }
}

extension Optional: HookValue where Wrapped == UnsafeMutableRawPointer {
  /// Any pointer, which may be null.
  public static var types: [HookType] { [.ptr, .cstr] }
  /// Reads an address.
  @inlinable public init(hookWord: UInt64) {
    self = UnsafeMutableRawPointer(bitPattern: UInt(hookWord))
  }
  /// The address, or 0.
  @inlinable public var hookWord: UInt64 { UInt64(UInt(bitPattern: self)) }
}
