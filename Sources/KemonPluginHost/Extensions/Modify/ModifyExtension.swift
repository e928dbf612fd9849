// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// `kemon.modify/1`: arguments changed before the operation.
enum ModifyExtension {
  static let row = HostExtension(
    KEMON_EXT_MODIFY,
    kemon_ext_modify(
      size: UInt32(MemoryLayout<kemon_ext_modify>.size), reserved: 0,
      set_u64: { host, verdict, field, value in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        guard let verdict, let field else {
          plugin.noteMisbehaviour()
          return KEMON_E_INVALID
        }
        return ModifyExtension.set(verdict, field.pointee, value, plugin)
      }))

  private static func set(
    _ verdict: UnsafeMutablePointer<kemon_verdict>, _ field: kemon_field, _ value: UInt64,
    _ plugin: LoadedPlugin
  ) -> kemon_status {
    let kind = EventKind(rawValue: field.kind)
    guard let wanted = ModifiableFields(kind, field: Int(field.index)) else {
      return KEMON_E_UNSUPPORTED
    }
    guard plugin.modifiable.isSuperset(of: wanted) else { return KEMON_E_DENIED }
    guard fits(value, field) else {
      plugin.noteMisbehaviour()
      return KEMON_E_INVALID
    }
    let flags = wanted.patchFlags
    let low = (UInt16(1) << UInt16(KEMON_V_PATCH_SHIFT)) - 1
    if verdict.pointee.flags & UInt16(KEMON_V_PATCH) != 0,
      verdict.pointee.flags & ~low != flags & ~low
    {
      return KEMON_E_FULL
    }
    verdict.pointee.action = UInt16(KEMON_MODIFY)
    verdict.pointee.flags = verdict.pointee.flags & low | flags
    verdict.pointee.result = Int64(bitPattern: value)
    return KEMON_OK
  }

  /// Whether a field can hold a value; negative ones come as two's complement of 64 bits.
  private static func fits(_ value: UInt64, _ field: kemon_field) -> Bool {
    switch Int32(field.type) {
    case KEMON_FIELD_U16: value <= UInt64(UInt16.max)
    case KEMON_FIELD_U32: value <= UInt64(UInt32.max)
    case KEMON_FIELD_I32: Int32(exactly: Int64(bitPattern: value)) != nil
    default: true
    }
  }
}

extension LoadedPlugin {
  /// The fields that the plugin may change: the manifest names them, and the operator grants them.
  var modifiable: ModifiableFields {
    PluginManifest.modifiable(by: manifest.capabilities.filter(settings.capabilities.contains))
  }
}

extension PluginManifest {
  /// How capabilities begin that name a field.
  static let modifyPrefix = "modify:"

  /// The fields that the plugin may change before an operation.
  var modifiable: ModifiableFields { Self.modifiable(by: capabilities) }

  /// The fields that capabilities name.
  static func modifiable(by capabilities: [String]) -> ModifiableFields {
    capabilities.reduce(into: []) { fields, capability in
      guard capability.hasPrefix(modifyPrefix) else { return }
      let name = String(capability.dropFirst(modifyPrefix.count))
      if let field = ModifiableFields(named: name) { fields.formUnion(field) }
    }
  }
}
