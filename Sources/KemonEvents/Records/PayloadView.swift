// SPDX-License-Identifier: Apache-2.0

/// A payload with its record: integers and texts by the names of the C struct's fields.
///
/// ```swift
/// if let file = record.view(of: kemon_file.self), file.path.starts(with: "/etc/") { … }
/// ```
///
/// Lives as long as the record does.
@dynamicMemberLookup
public struct PayloadView<Payload: BitwiseCopyable> {
  /// The record that the payload belongs to.
  public let record: RecordView
  /// The payload itself.
  public let payload: Payload

  @inlinable
  init(record: RecordView, payload: Payload) {
    self.record = record
    self.payload = payload
  }

  /// A number of the payload.
  @inlinable
  public subscript<Value: FixedWidthInteger>(
    dynamicMember field: KeyPath<Payload, Value>
  ) -> Value {
    payload[keyPath: field]
  }

  /// A text of the payload, in place.
  @inlinable
  public subscript(dynamicMember field: KeyPath<Payload, kemon_str>) -> RecordText {
    RecordText(record.bytes(payload[keyPath: field]))
  }
}

/// A text inside a record: its bytes, not copied.
///
/// Lives as long as the record does.
public struct RecordText {
  /// The bytes, without the NUL behind them; empty when the text is absent.
  public let bytes: UnsafeRawBufferPointer

  /// Takes bytes that lie inside a record.
  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Whether the text is absent or has no bytes.
  @inlinable
  public var isEmpty: Bool { bytes.isEmpty }

  /// Whether the text begins with these bytes; allocates nothing.
  @inlinable
  public func starts(with prefix: StaticString) -> Bool {
    bytes.count >= prefix.utf8CodeUnitCount
      && bytes.prefix(prefix.utf8CodeUnitCount)
        .elementsEqual(
          UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
  }

  /// Whether the text is these bytes; allocates nothing.
  @inlinable
  public static func == (text: RecordText, other: StaticString) -> Bool {
    text.bytes.count == other.utf8CodeUnitCount && text.starts(with: other)
  }

  /// A copy, with replacement characters where the bytes are not UTF-8.
  public var string: String { String(decoding: bytes, as: UTF8.self) }
}
