// SPDX-License-Identifier: Apache-2.0

public import KemonEvents
import KemonPlatform
public import KemonText

// Unchecked: what it points at is made once and never freed.
/// A kind as C reads it: texts that plugins may keep.
struct KindTexts: @unchecked Sendable {
  let info: UnsafePointer<kemon_kind_info>
  let fields: UnsafeBufferPointer<kemon_field_info>
  let json: UnsafePointer<CChar>

  private static let known = PosixLock<[EventKind: (texts: KindTexts, fieldCount: Int)]>([:])

  /// The texts of a kind; nil when nobody has it.
  static func of(_ kind: EventKind) -> KindTexts? {
    guard let info = kind.info else { return nil }
    return known.withLock { known in
      // A kind that was declared anew may have more fields.
      if let entry = known[kind], entry.fieldCount == info.fields.count { return entry.texts }
      let texts = KindTexts(info)
      known[kind] = (texts, info.fields.count)
      return texts
    }
  }

  /// The index of a kind's payload in the headers' tables; UINT32_MAX for a declared kind.
  private static func payload(of kind: EventKind) -> UInt32 {
    var count = 0
    let rows = UnsafeBufferPointer(start: kemon_kind_infos(&count), count: count)
    return rows.first { $0.kind == kind.rawValue }?.payload ?? .max
  }

  private init(_ kind: EventKindInfo) {
    let row = UnsafeMutablePointer<kemon_kind_info>.allocate(capacity: 1)
    row.initialize(
      to: kemon_kind_info(
        kind: kind.kind.rawValue, phase: UInt8(kind.phase.rawValue), family: kind.family.rawValue,
        can_deny: kind.canDeny ? 1 : 0, reserved: (0, 0, 0),
        payload_size: UInt32(kind.payloadSize), payload: Self.payload(of: kind.kind),
        name: CText.copy(kind.name),
        constant: CText.copy(kind.constant)))
    let rows = UnsafeMutableBufferPointer<kemon_field_info>.allocate(capacity: kind.fields.count)
    _ = rows.initialize(
      from: kind.fields.map { field in
        kemon_field_info(
          name: CText.copy(field.name), type: CText.copy(field.type.rawValue),
          doc: CText.copy(field.documentation), offset: UInt32(field.offset),
          width: UInt32(field.width))
      })
    info = UnsafePointer(row)
    fields = UnsafeBufferPointer(rows)
    json = CText.copy(kind.json.text)
  }
}

extension EventKindInfo {
  /// The kind as an object: what `kemon-host events -o json` and the extension `kemon.schema/1` show.
  public var json: JSONValue {
    .object([
      "number": .integer(Int64(kind.rawValue)), "name": .string(name),
      "phase": .string(phase.name), "family": .string(family.name), "can_deny": .bool(canDeny),
      "constant": constant.isEmpty ? .null : .string("KEMON_KIND_\(constant)"),
      "payload_size": .integer(Int64(payloadSize)),
      "fields": .array(
        fields.map { field in
          .object([
            "name": .string(field.name), "type": .string(field.type.rawValue),
            "offset": .integer(Int64(field.offset)), "meaning": .string(field.documentation),
            "modifiable": .bool(field.isModifiable),
          ])
        }),
    ])
  }
}
