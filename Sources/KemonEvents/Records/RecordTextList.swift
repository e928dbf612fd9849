// SPDX-License-Identifier: Apache-2.0

/// The texts of a list field, one after the other, not copied.
///
/// Lives as long as the record does.
public struct RecordTextList: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  init(_ list: RecordText) { rest = list.bytes }

  /// The next text; nil behind the last one.
  public mutating func next() -> RecordText? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: 0) ?? rest.endIndex
    let text = RecordText(UnsafeRawBufferPointer(rebasing: rest[..<end]))
    rest = UnsafeRawBufferPointer(rebasing: rest[Swift.min(end + 1, rest.endIndex)...])
    return text
  }
}

extension RecordText {
  /// The texts of a list field.
  public var list: RecordTextList { RecordTextList(self) }
}

extension PayloadView where Payload == kemon_mac_op {
  /// The argument of that name, as the header of the event's kernel calls it; nil when the operation has none.
  ///
  /// Kernels add parameters in the middle of prototypes: a plugin that asks for `flags` finds it in every one of them.
  public func argument(_ name: StaticString) -> UInt64? {
    let words = record.bytes(payload.arguments)
    for (index, known) in RecordText(record.bytes(payload.argument_names)).list.enumerated()
    where known == name && 8 * index + 8 <= words.count {
      return words.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
    }
    return nil
  }
}
