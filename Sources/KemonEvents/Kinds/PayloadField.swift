// SPDX-License-Identifier: Apache-2.0

/// One field of a payload: the schema that JSON output, filters and documentation read.
public struct PayloadField: Sendable {
  /// How the bytes of a field are to be read.
  public enum FieldType: String, Sendable, CaseIterable {
    /// An unsigned integer of the field's width.
    case u16, u32, u64
    /// A signed integer of the field's width.
    case i32, i64
    /// An address, shown in hexadecimal.
    case addr
    /// Text: bytes as they came, UTF-8 by convention.
    case str
    /// Several texts, each ended by a NUL.
    case list
    /// Raw bytes.
    case bytes

    /// Whether the field is a `kemon_str` that points at bytes elsewhere in the record.
    public var isReference: Bool { self == .str || self == .list || self == .bytes }

    /// Bytes that a field of the type takes in a payload.
    public var width: Int {
      switch self {
      case .u16: 2
      case .u32, .i32: 4
      case .u64, .i64, .addr, .str, .list, .bytes: 8
      }
    }

    /// What its offset is a multiple of.
    var alignment: Int { isReference ? 4 : width }
  }

  /// The name of the field.
  public let name: String
  /// How to read it.
  public let type: FieldType
  /// What it means, in a phrase.
  public let documentation: String
  /// Offset from the start of the payload, in bytes.
  public let offset: Int
  /// Bytes that the field takes in the payload.
  public let width: Int
  /// Whether a handler may change it before the operation: `kemon/modify.h`.
  public var isModifiable = false

  static func fields(ofPayload index: UInt32, kind: UInt16) -> [PayloadField] {
    var count = 0
    guard let rows = kemon_field_infos(index, &count) else { return [] }
    return UnsafeBufferPointer(start: rows, count: count).compactMap { row in
      guard let type = FieldType(rawValue: String(cString: row.type)) else { return nil }
      return PayloadField(
        name: String(cString: row.name), type: type, documentation: String(cString: row.doc),
        offset: Int(row.offset), width: Int(row.width),
        isModifiable: kemon_is_modifiable(kind, row.offset) != 0)
    }
  }
}
