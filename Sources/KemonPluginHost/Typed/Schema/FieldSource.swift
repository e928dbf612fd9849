// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Where in a record a named value is, and what it is there.
struct FieldSource: Equatable, Sendable {
  /// What an offset counts from.
  enum Segment: UInt8, Sendable {
    /// The beginning of the record.
    case record
    /// The beginning of its payload.
    case payload
    /// The words that `kemon_mac_op.arguments` points at.
    case arguments
  }

  /// What is there.
  enum Content: Equatable, Sendable {
    case integer(bytes: Int, isSigned: Bool)
    /// 64 bits that are an address.
    case address
    /// A `kemon_str`: a text, several texts, or bytes.
    case text
    case list
    case bytes
    /// The record itself.
    case event
    /// Words of a structure that is passed by value.
    case words(Int)
  }

  let segment: Segment
  let offset: Int
  let content: Content
  /// As people know it: `u32`, `unsigned int *`.
  let typeName: String

  /// Bytes that it takes where the offset says.
  var width: Int {
    switch content {
    case .integer(let bytes, _): bytes
    case .address, .text, .list, .bytes: 8
    case .event: 0
    case .words(let count): 8 * count
    }
  }

  init(_ segment: Segment, at offset: Int, _ content: Content, _ typeName: String) {
    self.segment = segment
    self.offset = offset
    self.content = content
    self.typeName = typeName
  }

  /// A field of a payload, or of a header that is described in the same way.
  init(_ segment: Segment, at offset: Int, _ type: PayloadField.FieldType) {
    let content: Content =
      switch type {
      case .u16: .integer(bytes: 2, isSigned: false)
      case .u32: .integer(bytes: 4, isSigned: false)
      case .u64: .integer(bytes: 8, isSigned: false)
      case .i32: .integer(bytes: 4, isSigned: true)
      case .i64: .integer(bytes: 8, isSigned: true)
      case .addr: .address
      case .str: .text
      case .list: .list
      case .bytes: .bytes
      }
    self.init(segment, at: offset, content, type.rawValue)
  }

  /// Whether every value that can be there fits into a type of C.
  func fits(_ type: TypedType) -> Bool {
    switch (content, type) {
    case (_, .scalar(let scalar)), (_, .pointer(let scalar)): fits(scalar)
    case (.text, .text), (.event, .event): true
    case (.text, .bytes), (.list, .bytes), (.bytes, .bytes): true
    case (.words(let count), .structure): type.size == 8 * count
    default: false
    }
  }

  private func fits(_ scalar: TypedScalar) -> Bool {
    switch content {
    case .integer(let bytes, let isSigned):
      switch scalar {
      case .double: true
      // Exact up to 24 bits.
      case .float: bytes <= 2
      case .address: false
      default:
        isSigned
          ? scalar.isSigned && scalar.size >= bytes
          : scalar.size > bytes || !scalar.isSigned && scalar.size == bytes
      }
    case .address: scalar == .address || scalar == .uint64 || scalar == .size
    case .text, .list, .bytes, .event, .words: false
    }
  }

  /// The types of a signature that it can be given as, for messages.
  var fittingTypes: [String] {
    switch content {
    case .integer, .address: TypedScalar.allCases.filter(fits).map(\.rawValue)
    case .text: ["z", "b"]
    case .list, .bytes: ["b"]
    case .event: ["e"]
    case .words(let count): ["{\(String(repeating: "L", count: count))}"]
    }
  }
}
