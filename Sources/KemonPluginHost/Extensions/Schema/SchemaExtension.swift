// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// `kemon.schema/1`: kinds and fields by name, kinds of plugins' own, events of these.
enum SchemaExtension {
  static let row = HostExtension(
    KEMON_EXT_SCHEMA,
    kemon_ext_schema(
      size: UInt32(MemoryLayout<kemon_ext_schema>.size), reserved: 0,
      kind: { host, name, phase, out in
        SchemaExtension.checked(host, name, out) { _, name, out in
          guard let phase = EventPhase(rawValue: phase),
            let kind = EventKind.named(name, phase: phase)
          else { return KEMON_E_NOTFOUND }
          out.pointee = kind.rawValue
          return KEMON_OK
        }
      },
      info: { _, kind in KindTexts.of(EventKind(rawValue: kind))?.info },
      fields: { _, kind, count in
        let texts = KindTexts.of(EventKind(rawValue: kind))
        count?.pointee = texts?.fields.count ?? 0
        return texts?.fields.baseAddress
      },
      field: { host, kind, name, out in
        SchemaExtension.checked(host, name, out) { plugin, name, out in
          SchemaExtension.field(plugin, EventKind(rawValue: kind), name, out)
        }
      },
      json: { _, kind in KindTexts.of(EventKind(rawValue: kind))?.json },
      declare: { host, json, out, error in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        return plugin.declare(json, out, error)
      },
      emit: { host, kind, about, values, count in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        return plugin.emit(
          EventKind(rawValue: kind), about: about,
          values: UnsafeBufferPointer(start: values, count: Int(count)))
      }))

  private static func checked<Out>(
    _ host: UnsafePointer<kemon_host>?, _ name: UnsafePointer<CChar>?,
    _ out: UnsafeMutablePointer<Out>?,
    _ body: (LoadedPlugin, String, UnsafeMutablePointer<Out>) -> kemon_status
  ) -> kemon_status {
    guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
    guard let name, let out else {
      plugin.noteMisbehaviour()
      return KEMON_E_INVALID
    }
    return body(plugin, String(cString: name), out)
  }

  /// Bytes of `kemon_field` in its first version.
  private static let fieldSize = MemoryLayout<kemon_field>.size

  private static func field(
    _ plugin: LoadedPlugin, _ kind: EventKind, _ name: String,
    _ out: UnsafeMutablePointer<kemon_field>
  ) -> kemon_status {
    guard out.pointee.size >= UInt32(fieldSize) else {
      plugin.noteMisbehaviour()
      return KEMON_E_INVALID
    }
    guard let fields = kind.info?.fields,
      let index = fields.firstIndex(where: { $0.name == name })
    else { return KEMON_E_NOTFOUND }
    let field = fields[index]
    out.pointee.kind = kind.rawValue
    out.pointee.type = field.type.number
    out.pointee.offset = UInt32(field.offset)
    out.pointee.width = UInt32(field.width)
    out.pointee.index = UInt32(index)
    out.pointee.flags = field.isModifiable ? UInt32(KEMON_FIELD_MODIFIABLE) : 0
    return KEMON_OK
  }
}

extension PayloadField.FieldType {
  /// `KEMON_FIELD_*`.
  var number: UInt16 {
    switch self {
    case .u16: UInt16(KEMON_FIELD_U16)
    case .u32: UInt16(KEMON_FIELD_U32)
    case .u64: UInt16(KEMON_FIELD_U64)
    case .i32: UInt16(KEMON_FIELD_I32)
    case .i64: UInt16(KEMON_FIELD_I64)
    case .addr: UInt16(KEMON_FIELD_ADDR)
    case .str: UInt16(KEMON_FIELD_STR)
    case .list: UInt16(KEMON_FIELD_LIST)
    case .bytes: UInt16(KEMON_FIELD_BYTES)
    }
  }
}
