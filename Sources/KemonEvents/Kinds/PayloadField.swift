// SPDX-License-Identifier: Apache-2.0

/// One field of a payload: the schema that JSON output, filters and documentation read.
public struct PayloadField: Sendable {
  /// How the bytes of a field are to be read.
  public enum FieldType: String, Sendable {
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

  static func fields(ofPayload index: UInt32) -> [PayloadField] {
    var count = 0
    guard let rows = kemon_field_infos(index, &count) else { return [] }
    return UnsafeBufferPointer(start: rows, count: count).compactMap { row in
      guard let type = FieldType(rawValue: String(cString: row.type)) else { return nil }
      return PayloadField(
        name: String(cString: row.name), type: type, documentation: String(cString: row.doc),
        offset: Int(row.offset), width: Int(row.width))
    }
  }
}
