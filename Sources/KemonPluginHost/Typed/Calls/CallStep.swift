// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// How one value comes from a record into a frame.
struct CallStep {
  enum Load: UInt8 {
    case uint16, uint32, int32, word
    /// A `kemon_str`, as the address of its bytes.
    case text
    /// A `kemon_str`, as the address of its bytes and their number.
    case bytes
    case event
    /// Nothing is there: 0 or NULL.
    case absent
  }

  enum Conversion: UInt8 {
    case none
    case unsignedToDouble, signedToDouble, unsignedToFloat, signedToFloat
  }

  var load: Load
  var segment: FieldSource.Segment
  var conversion = Conversion.none
  /// The signature does not allow that the value is missing.
  var isRequired: Bool
  /// The word that it goes to.
  var place: UInt16
  /// For a pointer the word that holds the address of `place`; else `noPointer`.
  var pointer = CallStep.noPointer
  /// Where it is in the segment, and where it ends.
  var offset: UInt32
  var end: UInt32
  /// The field of the signature, for messages.
  var field: UInt16

  static let noPointer = UInt16.max

  /// Whether it copies a number of the payload as it is.
  var isPlain: Bool {
    switch load {
    case .uint16, .uint32, .int32, .word:
      segment == .payload && conversion == .none && pointer == Self.noPointer
    case .text, .bytes, .event, .absent: false
    }
  }
}

extension CallStep {
  /// The steps for one field.
  ///
  /// - Parameters:
  ///   - source: where its value is; nil when it is not there.
  ///   - place: its first word in the frame.
  ///   - target: for a pointer the word that it points at.
  static func steps(
    for field: TypedSignature.Field, number: Int, from source: FieldSource?, to place: Int,
    target: Int?
  ) -> [CallStep] {
    func step(_ load: Load, _ place: Int, _ offset: Int, _ width: Int) -> CallStep {
      CallStep(
        load: load, segment: source?.segment ?? .record, isRequired: !field.isOptional,
        place: UInt16(place), offset: UInt32(offset), end: UInt32(offset + width),
        field: UInt16(number))
    }
    guard let source else {
      // A pointer is NULL then, and what it would point at does not matter.
      return (0..<field.type.words).map { step(.absent, place + $0, 0, 0) }
    }
    switch source.content {
    case .event: return [step(.event, place, 0, 0)]
    case .text, .list, .bytes:
      return [step(field.type == .bytes ? .bytes : .text, place, source.offset, source.width)]
    case .words(let count):
      return (0..<count).map { step(.word, place + $0, source.offset + 8 * $0, 8) }
    case .integer, .address:
      var value = step(source.load, target ?? place, source.offset, source.loadWidth)
      value.conversion = source.conversion(to: field.type)
      if target != nil { value.pointer = UInt16(place) }
      return [value]
    }
  }
}

extension FieldSource {
  fileprivate var load: CallStep.Load {
    // Arguments are words, whatever their type is.
    guard case .integer(let bytes, let isSigned) = content, segment != .arguments else {
      return .word
    }
    return bytes == 2 ? .uint16 : bytes == 8 ? .word : isSigned ? .int32 : .uint32
  }

  fileprivate var loadWidth: Int { segment == .arguments ? 8 : width }

  fileprivate func conversion(to type: TypedType) -> CallStep.Conversion {
    let scalar: TypedScalar
    switch type {
    case .scalar(let value), .pointer(let value): scalar = value
    case .text, .bytes, .event, .structure: return .none
    }
    guard scalar.isFloating, case .integer(_, let isSigned) = content else { return .none }
    return scalar == .double
      ? isSigned ? .signedToDouble : .unsignedToDouble
      : isSigned ? .signedToFloat : .unsignedToFloat
  }
}
