// SPDX-License-Identifier: Apache-2.0

import CTypedFixtures
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// The lanes of calls do the same.
@Suite struct CallLaneTests {
  /// What a field is in a record, read in the slow way; nil when it is not there.
  private static func words(
    _ field: TypedSignature.Field, _ record: RecordView, _ kind: EventKindInfo
  ) -> [UInt64]? {
    let size = Int(record.event.pointee.payload_size)
    if let known = kind.fields.first(where: { $0.name == field.name }) {
      guard known.offset + known.width <= size else { return nil }
      guard known.type.isReference else {
        return record.integer(known).map { [UInt64(bitPattern: $0)] }
      }
      return text(record.string(known), record)
    }
    switch field.name {
    case "event": return [UInt64(UInt(bitPattern: record.event))]
    case "event.corr": return [record.event.pointee.corr]
    case "event.kind": return [UInt64(record.event.pointee.kind)]
    case "subject.uid": return [UInt64(record.subject.uid)]
    case "subject.pid": return [UInt64(bitPattern: Int64(record.subject.pid))]
    case "subject.exe": return text(record.subject.exe, record)
    default: return nil
    }
  }

  private static func text(_ string: kemon_str, _ record: RecordView) -> [UInt64] {
    let bytes = record.bytes(string)
    let address = bytes.baseAddress ?? UnsafeRawPointer(CText.empty)
    return [UInt64(UInt(bitPattern: address)), UInt64(bytes.count)]
  }

  private static let headerNames = [
    "event", "event.corr", "event.kind", "subject.uid", "subject.pid", "subject.exe",
  ]

  @Test func `a hundred thousand random signatures are called alike by both lanes`() throws {
    let target = CallPlan.Target(
      function: try #require(typed_recorder()), context: UnsafeMutableRawPointer(bitPattern: 0xC0))
    var random = RandomSignatures()
    let kinds = EventKind.allKinds.compactMap(\.info)
    let schemas = kinds.map { FieldSchema($0.kind) }
    let allNames = schemas.map { schema in
      schema.own.keys.filter { !$0.contains(".") }.sorted() + Self.headerNames
    }
    let allTypes = zip(allNames, schemas).map { RandomSignatures.integerTypes($0, $1) }
    var verdict = kemon_verdict()
    var called = 0
    var refused = 0
    for round in 0..<2500 {
      let (kind, schema) = (kinds[round % kinds.count], schemas[round % kinds.count])
      let (names, types) = (allNames[round % kinds.count], allTypes[round % kinds.count])
      let record = random.record(kind.kind)
      for _ in 0..<40 {
        let signature = random.integers(names, types)
        let sources = try schema.resolve(signature)
        let layout = CallLayout(signature, hasVerdict: true)
        try #require(layout.lane == .fast)
        let fast = CallPlanMemory(signature, from: sources)
        let slow = CallPlanMemory(signature, from: sources, lane: .ffi)
        let results = try [fast, slow].map { memory -> [UInt64]? in
          guard let status = memory.plan.pointee.call(target, record.event, &verdict) else {
            return nil
          }
          let words = try #require(typed_recorded())
          return [UInt64(UInt32(bitPattern: status))]
            + (0..<layout.argumentWords).map { words[$0] }
        }
        let values = signature.fields.map { Self.words($0, record, kind) }
        let lacks = zip(signature.fields, values).contains { !$0.isOptional && $1 == nil }
        guard let left = results[0], let right = results[1] else {
          guard results[0] == nil, results[1] == nil, lacks else {
            Issue.record("\(signature.text) of \(kind.name) is called by one lane only")
            return
          }
          refused += 1
          continue
        }
        called += 1
        guard !lacks, left[0] == right[0],
          Self.agree(signature, layout, left.dropFirst(), right.dropFirst(), values, &verdict)
        else {
          Issue.record("\(signature.text) of \(kind.name): \(left), \(right)")
          return
        }
      }
    }
    #expect(called + refused == 100_000)
    #expect(refused > 1000 && called > 80_000, "\(refused) refused, \(called) called")
  }

  /// The bits that a callee may look at: in a register 32 of a smaller number, and nothing above its size.
  private static func mask(_ type: TypedType, isOnStack: Bool) -> UInt64 {
    let size = type == .bytes ? 8 : min(type.size, 8)
    let bits = isOnStack ? 8 * size : max(32, 8 * size)
    return bits == 64 ? .max : (1 << UInt64(bits)) - 1
  }

  /// Whether both lanes passed the values of the record between context and verdict.
  private static func agree(
    _ signature: TypedSignature, _ layout: CallLayout, _ left: ArraySlice<UInt64>,
    _ right: ArraySlice<UInt64>, _ values: [[UInt64]?],
    _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> Bool {
    let (left, right) = (Array(left), Array(right))
    guard left[0] == 0xC0, right[0] == 0xC0, left.last == UInt64(UInt(bitPattern: verdict)),
      left.last == right.last
    else { return false }
    for (index, field) in signature.fields.enumerated() {
      let place = layout.places[index]
      guard case .pointer = field.type else {
        for word in 0..<field.type.words {
          let expected = values[index]?[word] ?? 0
          let mask = Self.mask(field.type, isOnStack: false)
          // libffi widens numbers in registers, not on the stack.
          let ffiMask = Self.mask(field.type, isOnStack: place + word >= 6)
          guard left[place + word] & mask == expected & mask,
            right[place + word] & ffiMask == expected & ffiMask
          else { return false }
        }
        continue
      }
      // The frames of two calls lie where they like; what is there is proven with functions of C.
      let isThere = values[index] != nil
      guard (left[place] != 0) == isThere, (right[place] != 0) == isThere else { return false }
    }
    return true
  }
}
