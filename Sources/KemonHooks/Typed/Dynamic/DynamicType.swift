// SPDX-License-Identifier: Apache-2.0

/// A type of C that is known only when the program runs.
public indirect enum DynamicType: Sendable, Hashable, CustomStringConvertible {
  /// A number, a pointer, or nothing.
  case scalar(HookType)
  /// `long double`, of which 10 bytes mean something; `f80` in prototypes.
  case longDouble
  /// A structure by value; `{i64, f64}` in prototypes.
  case structure([DynamicType])

  /// As it is written in a prototype.
  public var description: String {
    switch self {
    case .scalar(let type): type.rawValue
    case .longDouble: "f80"
    case .structure(let members): "{\(members.map(\.description).joined(separator: ","))}"
    }
  }

  /// Bytes of a value, with the padding that C puts in; 0 for `void`.
  public var size: Int {
    switch self {
    case .scalar(let type): return type.size
    case .longDouble: return 16
    case .structure(let members):
      let end = members.reduce(0) { $1.aligned($0) + $1.size }
      return aligned(end)
    }
  }

  /// What its addresses are multiples of.
  public var alignment: Int {
    switch self {
    case .scalar(let type): max(1, type.size)
    case .longDouble: 16
    case .structure(let members): members.map(\.alignment).max() ?? 1
    }
  }

  /// The next offset at which it may lie.
  func aligned(_ offset: Int) -> Int { (offset + alignment - 1) & -alignment }

  /// Calls the body with every member of a structure and its offset.
  static func forEachMember<Failure: Error>(
    of members: [DynamicType], _ body: (DynamicType, Int) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = 0
    for member in members {
      offset = member.aligned(offset)
      try body(member, offset)
      offset += member.size
    }
  }
}

extension HookType {
  /// Bytes of a value.
  var size: Int {
    switch self {
    case .void: 0
    case .bool, .i8, .u8: 1
    case .i16, .u16: 2
    case .i32, .u32, .f32: 4
    case .i64, .u64, .f64, .ptr, .cstr: 8
    }
  }

  /// Whether smaller values are extended by their sign.
  var isSigned: Bool {
    switch self {
    case .i8, .i16, .i32, .i64: true
    default: false
    }
  }
}
