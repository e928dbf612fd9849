// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonTestSupport

@testable import KemonPluginHost

/// Signatures and records at random, the same in every run.
struct RandomSignatures: ~Copyable {
  var random = SeededRandom(seed: 0x7479_7065_64)
  private var builder = RecordBuilder()
  private static let place = TypedSignature.Place(line: 1, column: 1)

  mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  // MARK: Records

  /// A record of a kind with something in every field; every eighth comes from a producer of an older revision.
  mutating func record(_ kind: EventKind) -> RecordView {
    builder.begin(kind)
    for field in kind.info?.fields ?? [] {
      var value: UInt64
      switch field.type {
      case .str, .list, .bytes:
        let text = chance(6) ? kemon_str() : builder.text("text \(random.next() % 1000)")
        value = UInt64(text.off) | UInt64(text.len) << 32
      default: value = random.next()
      }
      let place = Int(builder.header.pointee.payload_off) + field.offset
      (UnsafeMutableRawPointer(builder.header) + place)
        .copyMemory(from: &value, byteCount: field.width)
    }
    let size = kind.info?.payloadSize ?? 0
    builder.header.pointee.payload_size = UInt32(
      chance(8) ? Int.random(in: 0...size / 4, using: &random) * 4 : size)
    builder.header.pointee.corr = random.next()
    builder.header.pointee.subject.uid = UInt32(truncatingIfNeeded: random.next())
    builder.header.pointee.subject.pid = Int32(truncatingIfNeeded: random.next())
    builder.header.pointee.subject.exe = builder.text("/bin/\(random.next() % 100)")
    return builder.seal()
  }

  // MARK: Signatures

  /// Fields of a kind as integers and pointers, few enough for the fast lane.
  mutating func integers(_ names: [String], _ types: [String: [TypedType]]) -> TypedSignature {
    var fields: [TypedSignature.Field] = []
    var words = 0
    let count = Int.random(in: 0...14, using: &random)
    while fields.count < count {
      guard let name = names.randomElement(using: &random) else { break }
      guard !fields.contains(where: { $0.name == name }) else {
        if fields.count >= names.count { break }
        continue
      }
      let isMissing = chance(16)
      let type = integerType(types[name] ?? [])
      guard words + type.words <= CallLayout.fastWords - 2 else { break }
      words += type.words
      fields.append(
        field(isMissing ? "no.\(fields.count)" : name, type, isOptional: isMissing || chance(2)))
    }
    return signature(fields)
  }

  /// The integers and pointers that each field can be given as.
  static func integerTypes(_ names: [String], _ schema: FieldSchema) -> [String: [TypedType]] {
    Dictionary(
      uniqueKeysWithValues: names.map { name in
        let fitting = schema.source(of: name)?.fittingTypes ?? []
        return (name, fitting.compactMap(Self.type).filter(\.isInteger))
      })
  }

  private mutating func integerType(_ fitting: [TypedType]) -> TypedType {
    let type = fitting.randomElement(using: &random) ?? .text
    if case .scalar(let scalar) = type, chance(4) { return .pointer(scalar) }
    return type
  }

  private static func type(_ letters: String) -> TypedType? {
    try? TypedSignature(parsing: "a:\(letters)").fields.first?.type
  }

  /// Any types in any number, with a result: what services have.
  mutating func anything() -> TypedSignature {
    let count = Int.random(in: 0...(chance(4) ? 24 : 8), using: &random)
    let onlyIntegers = chance(2)
    let fields = (0..<count).map { index in
      field("a\(index)", argument(onlyIntegers: onlyIntegers), isOptional: chance(4))
    }
    return signature(fields, returning: chance(6) ? nil : value(depth: 1, onlyIntegers))
  }

  private mutating func argument(onlyIntegers: Bool) -> TypedType {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: .text
    case 1: .bytes
    case 2: .pointer(scalar(onlyIntegers: false))
    default: value(depth: 0, onlyIntegers)
    }
  }

  private mutating func value(depth: Int, _ onlyIntegers: Bool) -> TypedType {
    guard !onlyIntegers, depth < 3, chance(3) else {
      return .scalar(scalar(onlyIntegers: onlyIntegers))
    }
    let count = Int.random(in: 1...4, using: &random)
    return .structure((0..<count).map { _ in value(depth: depth + 1, false) })
  }

  private mutating func scalar(onlyIntegers: Bool) -> TypedScalar {
    let all = TypedScalar.allCases.filter { !onlyIntegers || !$0.isFloating }
    return all.randomElement(using: &random) ?? .int32
  }

  private func field(_ name: String, _ type: TypedType, isOptional: Bool) -> TypedSignature.Field {
    TypedSignature.Field(
      name: name, isOptional: isOptional, type: type, place: Self.place, typePlace: Self.place)
  }

  private func signature(
    _ fields: [TypedSignature.Field], returning result: TypedType? = nil
  ) -> TypedSignature {
    TypedSignature(fields: fields, result: result, resultPlace: Self.place, form: .arguments)
  }
}
